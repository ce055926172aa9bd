package org.mixtraining.kernels;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Each kernel by itself on one thread, at ViT-Tiny's widths (dim 192, 3 heads) and 8 images a call,
 * about what a block computes at a time: with 65 tokens an image as in an SL step and 17 as in the
 * encoder of an SSL step. {@code mvn -q -Pjmh verify -DskipTests}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector",
      "-Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0"
    })
public class KernelsBenchmark {
  private static final int IMAGES = 8;
  private static final int DIM = 192;
  private static final int HEADS = 3;
  private static final int MLP = 4 * DIM;

  /** Parameters that an optimizer call updates. */
  private static final int SLICE = 1 << 17;

  /** vector and scalar: CpuKernels with either kind of row operations; nd4j: the portable twin. */
  @Param({"vector", "scalar", "nd4j"})
  private String kernels;

  @Param({"65", "17"})
  private int tokens;

  private Engine engine;
  private Kernels k;
  private Matrix x;
  private Matrix y;
  private Matrix dx;
  private Matrix stats;
  private Matrix wide;
  private Matrix wider;
  private Matrix ones;
  private Matrix qkv;
  private Matrix dQkv;
  private Matrix probabilities;
  private Matrix bias;
  private Matrix dGain;
  private Matrix dBias;
  private Matrix wideBias;
  private Matrix dWideBias;
  private Matrix w;
  private Matrix dw;
  private Matrix gradient;
  private Matrix m;
  private Matrix v;
  private long step;

  @Setup(Level.Trial)
  public void allocate() {
    engine = kernels.equals("nd4j") ? Engine.nd4j() : Engine.cpu(1);
    k =
        switch (kernels) {
          case "vector" -> engine.kernels();
          case "scalar" -> new CpuKernels(new ScalarRowOps(0), new Gemm(false));
          default -> engine.kernels();
        };
    Random random = new Random(0);
    int rows = IMAGES * tokens;
    x = filled(random, rows, DIM, 1);
    y = filled(random, rows, DIM, 1);
    dx = filled(random, rows, DIM, 1);
    stats = filled(random, rows, 2, 1);
    wide = filled(random, rows, MLP, 1);
    wider = filled(random, rows, MLP, 1);
    ones = filled(random, rows, MLP, 0);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < MLP; c++) {
        ones.set(r, c, 1);
      }
    }
    qkv = filled(random, rows, 3 * DIM, 1);
    dQkv = filled(random, rows, 3 * DIM, 1);
    probabilities = filled(random, IMAGES * HEADS * tokens, Kernels.probabilityStride(tokens), 1);
    bias = filled(random, 1, DIM, 1);
    dGain = filled(random, 1, DIM, 1);
    dBias = filled(random, 1, DIM, 1);
    wideBias = filled(random, 1, MLP, 1);
    dWideBias = filled(random, 1, MLP, 1);
    w = filled(random, DIM, MLP, 0.05f);
    dw = filled(random, DIM, MLP, 0.05f);
    gradient = filled(random, 1, SLICE, 0.01f);
    m = filled(random, 1, SLICE, 0);
    v = filled(random, 1, SLICE, 0);
    k.layerNorm(x, bias, bias, 1e-6f, y, stats);
    k.attention(qkv, tokens, HEADS, probabilities, y);
  }

  private static Matrix filled(Random random, int rows, int cols, float scale) {
    Matrix mat = Matrix.allocate(rows, cols);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        mat.set(r, c, scale * (float) random.nextGaussian());
      }
    }
    return mat;
  }

  @TearDown(Level.Trial)
  public void free() {
    for (Matrix mat :
        new Matrix[] {
          x,
          y,
          dx,
          stats,
          wide,
          wider,
          ones,
          qkv,
          dQkv,
          probabilities,
          bias,
          dGain,
          dBias,
          wideBias,
          dWideBias,
          w,
          dw,
          gradient,
          m,
          v
        }) {
      mat.close();
    }
    engine.close();
  }

  /** 192 to 768: the first of the MLP's two. */
  @Benchmark
  public void linear() {
    k.linear(x, w, wideBias, wide);
  }

  @Benchmark
  public void linearInputGradient() {
    k.linearInputGradient(wide, w, dx);
  }

  @Benchmark
  public void linearWeightGradient() {
    k.linearWeightGradient(x, wide, dw);
  }

  @Benchmark
  public void layerNorm() {
    k.layerNorm(x, bias, bias, 1e-6f, y, stats);
  }

  @Benchmark
  public void layerNormBackward() {
    k.layerNormBackward(y, x, stats, bias, null, dx, dGain, dBias);
  }

  @Benchmark
  public void biasGelu() {
    k.biasGelu(wider, wideBias, wide);
  }

  /** It multiplies in place: by ones, or the values would shrink from call to call. */
  @Benchmark
  public void biasGeluBackward() {
    k.biasGeluBackward(wide, ones, dWideBias);
  }

  @Benchmark
  public void attention() {
    k.attention(qkv, tokens, HEADS, probabilities, y);
  }

  @Benchmark
  public void attentionBackward() {
    k.attentionBackward(qkv, tokens, HEADS, probabilities, y, dQkv);
  }

  /** 131072 parameters, whatever the tokens. */
  @Benchmark
  public void adamW() {
    k.adamW(gradient, m, v, new AdamStep(1e-3, 0.9, 0.999, 1e-8, ++step));
  }
}
