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

  void run() {
    encoder.forward();
    head.scores(encoder.normed());
  }
}
