package org.mixtraining.train;

import java.util.Locale;

/** A step's loss was NaN or infinite: training has diverged and going on would only hide it. */
public final class NonFiniteLossException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NonFiniteLossException(int epoch, int worker, int step, double loss) {
    super(
        String.format(
            Locale.ROOT,
            "the loss became %s in epoch %d, worker %d, step %d; lower mixtraining.optimizer.base-lr or raise mixtraining.optimizer.warmup",
            loss,
            epoch + 1,
            worker,
            step + 1));
  }
}
