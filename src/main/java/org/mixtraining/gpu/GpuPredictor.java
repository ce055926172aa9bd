package org.mixtraining.gpu;

import org.mixtraining.gpu.StepContext.Shape;
import org.mixtraining.train.Predictor;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.GraphSpec;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.Served;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.state.ModelState;

/** Predicts by a replica's graph on a GPU. */
public final class GpuPredictor implements Predictor {

  private static final float[] NO_MASK = {};

  private final Gpu gpu;
  private final GraphSpec spec;
  private final Arena arena;
  private final Parameters parameters;
  private final GraphCache<PredictionProgram> programs;

  /**
   * @param gpu which is closed with it
   */
  public GpuPredictor(Gpu gpu, Replica replica) {
    this.gpu = gpu;
    this.spec = replica.spec();
    this.arena = new Arena(gpu);
    this.parameters = new Parameters(gpu, spec);
    this.programs = new GraphCache<>(gpu, arena);
  }

  @Override
  public void load(ModelState model) {
    parameters.loadParameters(model);
  }

  @Override
  public float[] predict(String head, float[] pixels, int images, int size) {
    Head own = spec.heads().stream().filter(h -> h.name().equals(head)).findFirst().orElseThrow();
    float[] scores = new float[images * own.classes()];
    gpu.read(run(own, pixels, NO_MASK, images, size).logits(), scores);
    softmax(scores, own.classes());
    return scores;
  }

  @Override
  public float[] features(float[] pixels, int images, int size) {
    if (gpu.matrixType() != Memory.Type.FLOAT) {
      throw new IllegalStateException("features are read as float32, not " + gpu.matrixType());
    }
    float[] features = new float[images * spec.vit().encoder().dim()];
    gpu.read(run(spec.heads().get(0), pixels, NO_MASK, images, size).features(), features);
    return features;
  }

  @Override
  public float[] patches(float[] pixels, float[] mask, int images, int size) {
    PredictionProgram program = run(null, pixels, mask, images, size);
    float[] patches = new float[Math.toIntExact(program.patches().count())];
    gpu.read(program.patches(), patches);
    return patches;
  }

  /**
   * @param own the head that predicts; null: the decoder does
   */
  private PredictionProgram run(Head own, float[] pixels, float[] mask, int images, int size) {
    Served served = spec.vit().served();
    int classes = own == null ? served.classes() : own.classes();
    ViT vit = spec.vit().serving(new Served(size, classes, served.maskRatio()));
    Shape shape = new Shape(vit, own, images, false);
    StepContext bench = StepContext.of(gpu, parameters, arena, spec, shape);
    var captured = programs.of(shape, () -> new PredictionProgram(bench), PredictionProgram::run);
    gpu.write(bench.pixels(), Batch.colours(vit, pixels, images));
    if (spec.masks()) {
      gpu.write(bench.mask(), mask);
    }
    captured.graph().launch();
    return captured.program();
  }

  /** Scores to probabilities, row by row. */
  private static void softmax(float[] scores, int classes) {
    for (int from = 0; from < scores.length; from += classes) {
      float most = Float.NEGATIVE_INFINITY;
      for (int c = from; c < from + classes; c++) {
        most = Math.max(most, scores[c]);
      }
      double sum = 0;
      for (int c = from; c < from + classes; c++) {
        sum += Math.exp(scores[c] - most);
      }
      for (int c = from; c < from + classes; c++) {
        scores[c] = (float) (Math.exp(scores[c] - most) / sum);
      }
    }
  }

  @Override
  public void close() {
    try (gpu;
        parameters;
        arena;
        programs) {
      // Each is closed, the last first, even where another cannot be.
    }
  }
}
