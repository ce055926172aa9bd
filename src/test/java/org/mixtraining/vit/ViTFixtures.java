package org.mixtraining.vit;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.config.OptimizerConfig;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.reference.ReferenceViT;
import org.mixtraining.reference.ReferenceViT.Dimensions;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.LearningRate;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;
import org.mixtraining.vit.layers.Compute;
import org.mixtraining.vit.layers.TokenLayer;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Small models and minibatches for tests, and their translation for the float64 reference. */
public final class ViTFixtures {

  public static final long SEED = 11;

  /** Weight of the SSL loss in JOINT graphs. */
  public static final double ALPHA = 0.3;

  /** 12-pixel images in 3-pixel patches: 16 patches, 4 visible; widths that no vector fits. */
  static ViT small(Pooling pooling, boolean normPix) {
    return vit(12, 3, 3, 12, 2, 3, 20, 1, 2, 5, pooling, 0.75, normPix);
  }

  /** A model with fixed positions and without stochastic depth. */
  public static ViT vit(
      int imageSize,
      int channels,
      int patch,
      int dim,
      int depth,
      int heads,
      int decoderDim,
      int decoderDepth,
      int decoderHeads,
      int classes,
      Pooling pooling,
      double maskRatio,
      boolean normPix) {
    return vit(
        imageSize,
        channels,
        patch,
        dim,
        depth,
        heads,
        decoderDim,
        decoderDepth,
        decoderHeads,
        classes,
        pooling,
        maskRatio,
        normPix,
        0,
        Positions.SIN_COS,
        null);
  }

  /** A model as JSON says it: no MLP ratio is 4. */
  public static ViT vit(
      int imageSize,
      int channels,
      int patch,
      int dim,
      int depth,
      int heads,
      int decoderDim,
      int decoderDepth,
      int decoderHeads,
      int classes,
      Pooling pooling,
      double maskRatio,
      boolean normPix,
      double dropPath,
      Positions positions,
      Integer mlpRatio) {
    return ViT.of(
        new ViT.Flat(
            imageSize,
            channels,
            patch,
            dim,
            depth,
            heads,
            decoderDim,
            decoderDepth,
            decoderHeads,
            classes,
            pooling,
            maskRatio,
            normPix,
            dropPath,
            positions,
            mlpRatio));
  }

  public static ViT placed(Pooling pooling, Positions positions) {
    return vit(12, 3, 3, 12, 2, 3, 20, 1, 2, 5, pooling, 0.75, true, 0, positions, null);
  }

  public static ViT small() {
    return small(Pooling.MEAN, true);
  }

  public static OptimizerConfig optimizer() {
    return new OptimizerConfig(
        new OptimizerConfig.Rates(0.4, 0, 0, OptimizerConfig.Span.RUN),
        0.05,
        1,
        new OptimizerConfig.Betas(0.9, 0.95),
        new OptimizerConfig.Betas(0.9, 0.999),
        64,
        1,
        0,
        0);
  }

  public static EpochPlan plan(Objective objective, MixPass pass, double alpha, double rate) {
    return plan(objective, pass, alpha, 0.75, rate);
  }

  static EpochPlan plan(
      Objective objective, MixPass pass, double alpha, double maskRatio, double rate) {
    LearningRate constant = new LearningRate(rate, rate, 0, 1);
    return new EpochPlan(
        0,
        1,
        Phase.MIX,
        objective,
        EncoderInput.of(objective, pass),
        alpha,
        maskRatio,
        null,
        constant,
        0,
        1);
  }

  /** The same plan of minibatches in so many parts. */
  public static EpochPlan inParts(int parts, EpochPlan plan) {
    return new EpochPlan(
        plan.epoch(),
        plan.epochs(),
        plan.phase(),
        plan.objective(),
        plan.input(),
        plan.alpha(),
        plan.maskRatio(),
        plan.unlabelled(),
        plan.learningRate(),
        plan.clip(),
        parts);
  }

  public static double alpha(Objective objective) {
    return switch (objective) {
      case SSL -> 1;
      case SL -> 0;
      case JOINT -> ALPHA;
    };
  }

  public static Replica replica(ViT vit, Objective objective, MixPass pass) {
    return replica(vit, objective, EncoderInput.of(objective, pass));
  }

  static Replica replica(ViT vit, Objective objective, EncoderInput input) {
    return new Replica(ViTGraph.configuration(vit, objective, input, optimizer(), SEED));
  }

  public static float[] pixels(ViT vit, int images) {
    return pixels(vit, images, 5);
  }

  static float[] pixels(ViT vit, int images, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] pixels =
        new float
            [images
                * vit.architecture().channels()
                * vit.served().imageSize()
                * vit.served().imageSize()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) (2 * random.nextDouble() - 1);
    }
    return pixels;
  }

  static int[] labels(ViT vit, int images) {
    int[] labels = new int[images];
    for (int i = 0; i < images; i++) {
      labels[i] = (i * 3 + 1) % vit.served().classes();
    }
    return labels;
  }

  public static MultiDataSet batch(ViT vit, Objective objective, int images) {
    return batch(vit, objective, images, labels(vit, images));
  }

  static MultiDataSet batch(ViT vit, Objective objective, int images, int[] labels) {
    long[] ids = LongStream.range(100, 100 + images).toArray();
    return Batch.training(
        vit, objective, pixels(vit, images), ids, Batch.targets(vit, labels, 0.1), SEED, 0);
  }

  /** A step of a replica with one head, on images that skip nothing. */
  static StepResult fit(Replica replica, MultiDataSet batch) {
    return replica.fit(batch, ModelState.HEAD, new long[0]);
  }

  /** Moves every parameter a little, so that no bias or gain stays at a special value. */
  public static void disturb(ComputationGraph graph) {
    SplittableRandom random = new SplittableRandom(17);
    INDArray params = graph.params();
    Matrix flat = Matrix.of(params.reshape(params.length()));
    for (int i = 0; i < flat.cols(); i++) {
      flat.set(0, i, flat.get(0, i) + (float) (0.2 * random.nextDouble() - 0.1));
    }
  }

  /** A minibatch with images, masks and labels of its own; one image has no label. */
  public static MultiDataSet batch(ViT vit, Objective objective, int images, long seed) {
    long[] ids = LongStream.range(0, images).map(i -> seed * images + i).toArray();
    int[] labels = labels(vit, images);
    labels[images - 1] = -1;
    return Batch.training(
        vit, objective, pixels(vit, images, seed), ids, Batch.targets(vit, labels, 0.1), SEED, 3);
  }

  /** Does the work with an engine of so many threads. */
  public static <T> T onThreads(int threads, Supplier<T> work) {
    return with(Engine.cpu(threads), work);
  }

  /** Does the work with an engine, and closes it. */
  static <T> T with(Engine engine, Supplier<T> work) {
    try (Compute compute = new Compute(engine)) {
      Compute.Scope scope = compute.use();
      try {
        return work.get();
      } finally {
        scope.close();
      }
    }
  }

  // --- for the reference -----------------------------------------------------------------------

  public static Dimensions dimensions(ViT vit) {
    return new Dimensions(
        vit.served().imageSize(),
        vit.architecture().channels(),
        vit.architecture().patch(),
        vit.encoder().dim(),
        vit.encoder().depth(),
        vit.encoder().heads(),
        vit.decoder().dim(),
        vit.decoder().depth(),
        vit.decoder().heads(),
        vit.served().classes(),
        vit.architecture().pooling() == Pooling.MEAN,
        vit.architecture().normPix());
  }

  /** What a step on a minibatch comes to with the given weights. */
  static ReferenceViT.Result reference(
      ViT vit,
      Objective objective,
      EncoderInput input,
      double alpha,
      Map<String, double[]> weights,
      MultiDataSet batch) {
    Dimensions d = dimensions(vit);
    double[][] images = rows(batch.getFeatures(0));
    return switch (objective) {
      case SSL -> ReferenceViT.ssl(d, weights, images, visible(batch.getFeaturesMaskArray(0)));
      case SL -> ReferenceViT.sl(d, weights, images, rows(batch.getLabels(0)));
      case JOINT ->
          ReferenceViT.joint(
              d,
              weights,
              images,
              visible(batch.getFeaturesMaskArray(0)),
              rows(batch.getLabels(1)),
              alpha,
              input.pass());
    };
  }

  public interface View {
    Matrix of(TokenLayer<?> layer, String tensor);
  }

  /** Every tensor of a graph by the reference's name for it. */
  public static Map<String, double[]> tensors(ComputationGraph graph, View view) {
    Map<String, double[]> tensors = new LinkedHashMap<>();
    for (var layer : graph.getLayers()) {
      TokenLayer<?> tokens = (TokenLayer<?>) layer;
      for (Tensor tensor : tokens.layerConf().parameters().tensors()) {
        String name = tokens.layerConf().getLayerName() + "." + tensor.name();
        tensors.put(name, doubles(view.of(tokens, tensor.name())));
      }
    }
    return tensors;
  }

  public static double[] doubles(Matrix matrix) {
    double[] values = new double[matrix.rows() * matrix.cols()];
    for (int i = 0; i < values.length; i++) {
      values[i] = matrix.get(i / matrix.cols(), i % matrix.cols());
    }
    return values;
  }

  /** Rows of an array, each flattened. */
  public static double[][] rows(INDArray array) {
    return rows(Matrix.of(array));
  }

  public static double[][] rows(Matrix matrix) {
    double[][] rows = new double[matrix.rows()][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = doubles(matrix.rows(i, i + 1));
    }
    return rows;
  }

  public static boolean[][] visible(INDArray mask) {
    double[][] rows = rows(mask);
    boolean[][] visible = new boolean[rows.length][rows[0].length];
    for (int i = 0; i < rows.length; i++) {
      for (int p = 0; p < rows[i].length; p++) {
        visible[i][p] = rows[i][p] != 0;
      }
    }
    return visible;
  }

  /** ‖actual − expected‖ / ‖expected‖; below a norm of 1e-4, absolute. */
  public static double relativeError(double[] actual, double[] expected) {
    double[] difference = new double[expected.length];
    for (int i = 0; i < difference.length; i++) {
      difference[i] = actual[i] - expected[i];
    }
    return norm(difference) / Math.max(1e-4, norm(expected));
  }

  public static double norm(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value * value;
    }
    return Math.sqrt(sum);
  }

  private ViTFixtures() {}

  /** The score of a graph whose parameter is moved a step along a gradient, and moved back. */
  public static double scoreAt(
      ComputationGraph graph,
      MultiDataSet batch,
      Matrix parameter,
      double[] gradient,
      double step) {
    float[] before = parameter.read();
    float[] moved = before.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += (float) (step * gradient[i]);
    }
    parameter.write(moved, 0);
    double score = graph.score(batch, true);
    parameter.write(before, 0);
    return score;
  }
}
