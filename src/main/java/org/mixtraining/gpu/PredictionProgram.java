package org.mixtraining.gpu;

/**
 * The forward pass from images to class scores by one head; without a head, from images that are
 * seen in part to the patches that the decoder predicts.
 */
final class PredictionProgram {

  private final EncoderProgram encoder;
  private final HeadProgram head; // null: the decoder predicts
  private final DecoderProgram decoder; // null: a head does

  PredictionProgram(StepContext bench) {
    encoder = EncoderProgram.predicting(bench);
    boolean classifies = bench.shape().head() != null;
    head = classifies ? new HeadProgram(bench, encoder.pooled()) : null;
    decoder =
        classifies
            ? null
            : DecoderProgram.predicting(bench, encoder.embedding(), encoder.decoded());
    bench.pixels(); // where images are written to
    if (bench.spec().masks()) {
      bench.mask();
    }
  }

  /** [images, classes]. */
  Memory logits() {
    return head.logits();
  }

  /** [images, dim], of the type that matrix products read. */
  Memory features() {
    return head.features();
  }

  /** [images · (1 + patches), values of a patch]. */
  Memory patches() {
    return decoder.prediction();
  }

  void run() {
    encoder.forward();
    if (decoder == null) {
      head.scores(encoder.normed());
    } else {
      decoder.predict(encoder.normed());
    }
  }
}
