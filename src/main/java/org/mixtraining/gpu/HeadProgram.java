package org.mixtraining.gpu;

import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.gpu.Operations.Residual;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.layers.Sequences;

/**
 * Forward and backward pass of a classification head: from the encoder's tokens to class scores and
 * their loss.
 */
final class HeadProgram {

  private final StepContext bench;
  private final String head;
  private final Sequences pooled;
  private final int classes;
  private final int mean; // 1: of the tokens; 0: the class token
  private final Memory features; // [images, dim]
  private final Memory logits; // [images, classes]
  private final Memory dLogits; // [images, classes]
  private final Memory dFeatures; // [images, dim]
  private final Memory losses; // [images]
  private final Memory correct; // [images]

  HeadProgram(StepContext bench, Sequences pooled) {
    this.bench = bench;
    this.pooled = pooled;
    ViT vit = bench.vit();
    head = bench.shape().head().name() + ".";
    classes = bench.shape().head().classes();
    mean = vit.architecture().pooling() == Pooling.MEAN ? 1 : 0;
    long images = bench.images();
    features = bench.matrix("head-features", images * vit.encoder().dim());
    logits = bench.floats("head-logits", images * classes);
    dLogits = bench.matrix("head-d-logits", images * classes);
    dFeatures = bench.floats("head-d-features", images * vit.encoder().dim());
    losses = bench.floats("head-losses", images);
    correct = bench.floats("head-correct", images);
  }

  /** [images, classes]. */
  Memory logits() {
    return logits;
  }

  /** [images, dim]. */
  Memory features() {
    return features;
  }

  /** From x[rows, dim] to the logits. */
  void scores(Memory x) {
    Operations ops = bench.operations();
    int images = bench.images();
    int dim = bench.vit().encoder().dim();
    ops.each(
        "pool_tokens", (long) images * dim, part(x), features, images, pooled.tokens(), dim, mean);
    ops.linear(features, head + "weight", head + "bias", null, logits, images);
  }

  /** From x[rows, dim] to the loss. */
  void forward(Memory x) {
    scores(x);
    Operations ops = bench.operations();
    int images = bench.images();
    ops.rows(
        "cross_entropy",
        images,
        logits,
        bench.targets(),
        bench.settings(),
        dLogits,
        losses,
        correct,
        images,
        classes);
  }

  private Memory part(Memory all) {
    return all.from((long) pooled.firstRow() * bench.vit().encoder().dim());
  }

  /** lossParts[PARTS] and correctParts[PARTS]. */
  void sum(Memory lossParts, Memory correctParts) {
    bench.operations().partialSums(losses, lossParts, bench.images());
    bench.operations().partialSums(correct, correctParts, bench.images());
  }

  /** To the rows of dx[rows, dim] that were pooled. */
  void backward(Memory dx, Residual residual) {
    Operations ops = bench.operations();
    int images = bench.images();
    int dim = bench.vit().encoder().dim();
    ops.biasGradient(dLogits, head + "bias", images);
    ops.linearBackward(features, head + "weight", dLogits, dFeatures, images);
    ops.fours(
        "unpool_tokens",
        (long) pooled.rows() * dim,
        dFeatures,
        part(dx),
        images,
        pooled.tokens(),
        dim,
        mean,
        residual.ordinal());
  }
}
