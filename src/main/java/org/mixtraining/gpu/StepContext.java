package org.mixtraining.gpu;

import org.mixtraining.vit.GraphSpec;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.ViT;

/** The shared objects from which the parts of a step of one shape are built. */
record StepContext(Operations operations, Arena arena, GraphSpec spec, Shape shape) {

  /**
   * What a step's launches depend on.
   *
   * @param vit the model as it serves the minibatch
   * @param head that takes part; null in SSL
   * @param clips whether the gradient's norm is limited
   */
  record Shape(ViT vit, Head head, int images, boolean clips) {}

  static StepContext of(Gpu gpu, Parameters parameters, Arena arena, GraphSpec spec, Shape shape) {
    long rows = (long) shape.images * shape.vit.fullTokens();
    return new StepContext(Operations.of(gpu, parameters, rows), arena, spec, shape);
  }

  ViT vit() {
    return shape.vit();
  }

  int images() {
    return shape.images();
  }

  Parameters parameters() {
    return operations.parameters();
  }

  // --- memory, by name -------------------------------------------------------------------------

  Memory floats(String name, long count) {
    return arena.of(name, Memory.Type.FLOAT, count);
  }

  Memory ints(String name, long count) {
    return arena.of(name, Memory.Type.INT, count);
  }

  Memory bytes(String name, long count) {
    return arena.of(name, Memory.Type.BYTE, count);
  }

  Memory doubles(String name, long count) {
    return arena.of(name, Memory.Type.DOUBLE, count);
  }

  /** What a matrix product reads or writes. */
  Memory matrix(String name, long count) {
    return arena.of(name, operations.gpu().matrixType(), count);
  }

  /** The fixed position embedding of this shape's patches, [1 + patches, dim]. */
  Memory positions(int dim) {
    return parameters().positions(vit().grid(), dim);
  }

  // --- what is uploaded for each step ----------------------------------------------------------

  /** [images, channels, size, size]. */
  Memory pixels() {
    int patchValues = vit().architecture().patchValues();
    return floats("input.pixels", (long) images() * vit().patches() * patchValues);
  }

  /** [images, patches]. */
  Memory mask() {
    return floats("input.mask", (long) images() * vit().patches());
  }

  /** [images, classes]. */
  Memory targets() {
    return floats("input.targets", (long) images() * vit().served().classes());
  }

  /** {@link StepSettings}: those of the step. */
  Memory settings() {
    return floats("input.settings", StepSettings.STEP);
  }

  /** {@link StepSettings}: those of the blocks of parameters. */
  Memory blockSettings() {
    return floats("input.blocks", (long) StepSettings.BLOCK * parameters().blocks().size());
  }

  /** Factors on the branches of an encoder block, [branches, images]. */
  Memory factors(int block) {
    return floats("input.factors-" + block, 2L * images());
  }
}
