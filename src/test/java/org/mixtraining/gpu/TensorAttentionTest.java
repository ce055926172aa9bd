package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.vit.layers.Sequences;

/**
 * Attention on tensor cores against one in float64 on the same bfloat16 values. Weights and their
 * gradients are rounded to bfloat16, by up to 0.4 %, before they are multiplied again.
 */
class TensorAttentionTest {
  private static final double ROUNDING = 0.006; // of the largest value
  private static final int IMAGES = 2;

  /** Lengths around those of tiles and beyond what a block's warps take at once. */
  @ParameterizedTest
  @CsvSource({
    "1, 3, 16",
    "5, 2, 32",
    "16, 1, 64",
    "17, 3, 64",
    "31, 2, 16",
    "65, 2, 64",
    "65, 3, 32",
    "133, 1, 16"
  })
  void outputsAndGradientsAreThoseOfFloat64(int tokens, int heads, int width) {
    int dim = heads * width;
    int rows = IMAGES * tokens;
    float[] qkv = random(rows * 3 * dim, 2, 1);
    float[] dOut = random(rows * dim, 1, 2);
    double[] expected = new double[rows * dim];
    double[] gradient = new double[rows * 3 * dim];
    for (int image = 0; image < IMAGES; image++) {
      for (int head = 0; head < heads; head++) {
        attend(qkv, dOut, image * tokens, tokens, head * width, width, dim, expected, gradient);
      }
    }

    Result result = onDevice(qkv, dOut, tokens, heads, width);

    assertClose(result.out, expected);
    assertClose(result.dQkv, gradient);
    assertThat(result.ofImages)
        .usingComparatorWithPrecision(1e-3f)
        .containsExactly(sums(result.dQkv, tokens, 3 * dim));
  }

  /** Over the tokens of each image. */
  private static float[] sums(float[] x, int tokens, int cols) {
    float[] sums = new float[x.length / tokens];
    for (int i = 0; i < x.length; i++) {
      sums[i / cols / tokens * cols + i % cols] += x[i];
    }
    return sums;
  }

  /** Scores of some hundreds: their powers alone are no floats. */
  @Test
  void largeScoresOverflowNothing() {
    Result result = onDevice(random(20 * 48, 60, 3), random(20 * 16, 1, 4), 10, 1, 16);

    assertThat(result.out).doesNotContain(Float.NaN);
    assertThat(result.dQkv).doesNotContain(Float.NaN);
  }

  private record Result(float[] out, float[] dQkv, float[] ofImages) {}

  private static Result onDevice(float[] qkv, float[] dOut, int tokens, int heads, int width) {
    assertThat(Attention.of(Memory.Type.BF16, tokens, width).kernel())
        .isEqualTo("tensor_attention");
    int dim = heads * width;
    Sequences sequences = new Sequences(0, dOut.length / dim / tokens, tokens);
    try (Gpu gpu = TestGpu.open(Memory.Type.BF16);
        Arena arena = new Arena(gpu)) {
      Memory in = rounded(gpu, arena, "qkv", qkv);
      Memory dIn = rounded(gpu, arena, "d-out", dOut);
      Memory out = arena.of("out", Memory.Type.BF16, dOut.length);
      Memory logSums = arena.of("log-sums", Memory.Type.FLOAT, dOut.length / width);
      Memory dQkv = arena.of("d-qkv", Memory.Type.BF16, qkv.length);
      Attention.forward(gpu, in, out, logSums, sequences, heads, dim);
      float[] ofImages = new float[qkv.length / tokens];
      Memory sums = arena.of("of-images", Memory.Type.FLOAT, ofImages.length);
      Attention.backward(gpu, in, out, logSums, dIn, dQkv, sums, sequences, heads, dim);
      gpu.read(sums, ofImages);
      return new Result(read(gpu, out), read(gpu, dQkv), ofImages);
    }
  }

  private static Memory rounded(Gpu gpu, Arena arena, String name, float[] values) {
    Memory floats = arena.of(name + ".floats", Memory.Type.FLOAT, values.length);
    gpu.write(floats, values);
    Memory rounded = arena.of(name, Memory.Type.BF16, values.length);
    Operations.round(gpu, floats, rounded);
    return rounded;
  }

  /** bfloat16 values, two in each float that is read. */
  private static float[] read(Gpu gpu, Memory bf16) {
    float[] pairs = new float[(int) bf16.count() / 2];
    gpu.read(new Memory(bf16.address(), Memory.Type.FLOAT, pairs.length), pairs);
    float[] values = new float[2 * pairs.length];
    for (int i = 0; i < pairs.length; i++) {
      int bits = Float.floatToRawIntBits(pairs[i]);
      values[2 * i] = Float.intBitsToFloat(bits << 16);
      values[2 * i + 1] = Float.intBitsToFloat(bits & 0xffff0000);
    }
    return values;
  }

  /** Values that bfloat16 has. */
  private static float[] random(int count, double scale, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      float value = (float) (scale * random.nextDouble(-1, 1));
      values[i] = Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xffff0000);
    }
    return values;
  }

  /** One head of one image, from the definition. */
  private static void attend(
      float[] qkv,
      float[] dOut,
      int firstRow,
      int tokens,
      int column,
      int width,
      int dim,
      double[] out,
      double[] dQkv) {
    double scale = 1 / Math.sqrt(width);
    for (int i = 0; i < tokens; i++) {
      int query = (firstRow + i) * 3 * dim + column;
      int result = (firstRow + i) * dim + column;
      double[] weights = new double[tokens];
      double[] dWeights = new double[tokens];
      double sum = 0;
      for (int j = 0; j < tokens; j++) {
        int key = (firstRow + j) * 3 * dim + dim + column;
        double score = 0;
        for (int c = 0; c < width; c++) {
          score += scale * qkv[query + c] * qkv[key + c];
          dWeights[j] += (double) dOut[result + c] * qkv[key + dim + c];
        }
        weights[j] = Math.exp(score);
        sum += weights[j];
      }
      double mean = 0;
      for (int j = 0; j < tokens; j++) {
        weights[j] /= sum;
        mean += weights[j] * dWeights[j];
      }
      for (int j = 0; j < tokens; j++) {
        int key = (firstRow + j) * 3 * dim + dim + column;
        double dScore = weights[j] * (dWeights[j] - mean);
        for (int c = 0; c < width; c++) {
          out[result + c] += weights[j] * qkv[key + dim + c];
          dQkv[query + c] += scale * dScore * qkv[key + c];
          dQkv[key + c] += scale * dScore * qkv[query + c];
          dQkv[key + dim + c] += weights[j] * dOut[result + c];
        }
      }
    }
  }

  private static void assertClose(float[] actual, double[] expected) {
    double largest = 0;
    double error = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      error = Math.max(error, Math.abs(actual[i] - expected[i]));
    }
    assertThat(error / largest).isLessThan(ROUNDING);
  }
}
