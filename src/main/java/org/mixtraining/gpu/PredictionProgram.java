package org.mixtraining.gpu;

/** The forward pass from images to class scores by one head. */
final class PredictionProgram {

  private final EncoderProgram encoder;
  private final HeadProgram head;

  PredictionProgram(StepContext bench) {
    encoder = EncoderProgram.predicting(bench);
    head = new HeadProgram(bench, encoder.pooled());
    bench.pixels(); // where images are written to
  }

  /** [images, classes]. */
  Memory logits() {
    return head.logits();
  }

  /** [images, dim], of the type that matrix products read. */
  Memory features() {
    return head.features();
  }

  void run() {
    encoder.forward();
    head.scores(encoder.normed());
  }
}
