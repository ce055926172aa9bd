package org.mixtraining.train;

/** A step's loss was NaN or infinite: training has diverged and going on would only hide it. */
public final class NonFiniteLossException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NonFiniteLossException(int epoch, int worker, int step, double loss) {
    super(
        "the loss became %s in epoch %s, worker %s, step %s; lower mixtraining.optimizer.base-lr or raise mixtraining.optimizer.warmup"
            .formatted(loss, epoch + 1, worker, step + 1));
  }
}
