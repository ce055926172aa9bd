package org.mixtraining.formats;

import java.util.Map;
import org.mixtraining.formats.TimmWeights.Weight;

/**
 * What a Vision Transformer of a Python library computes from the tensors of a file, in double
 * precision and as plainly as its source is written: pre-norm blocks, exact GELU.
 */
final class PlainViT {
  private static final double EPSILON = 1e-6;

  /** The names that a library gives a block's tensors. */
  interface Names {
    String norm1(int block);

    /** The name of query (0), key or value (2), without its ending. */
    String attention(int block, int part);

    /** Whether these three are one matrix, below each other. */
    boolean joined();

    String projection(int block);

    String norm2(int block);

    String fc1(int block);

    String fc2(int block);

    /** The name of a branch's scale, or null. */
    String scale(int block, int branch);

    String patches();

    String cls();

    String positions();

    String norm();
  }

  private final Map<String, Weight> file;
  private final Names names;
  private final int heads;
  private final int depth;

  PlainViT(Map<String, Weight> file, Names names, int heads, int depth) {
    this.file = file;
    this.names = names;
    this.heads = heads;
    this.depth = depth;
  }

  private double at(String name, int i) {
    return file.get(name).values()[i];
  }

  /**
   * The tokens after the last norm, the class token's first.
   *
   * @param image [channels, size, size], normalised
   */
  double[][] tokens(float[] image, int channels, int size) {
    Weight kernel = file.get(names.patches() + ".weight");
    int dim = kernel.shape()[0];
    int patch = kernel.shape()[2];
    int grid = size / patch;
    double[][] x = new double[1 + grid * grid][dim];
    for (int d = 0; d < dim; d++) {
      x[0][d] = at(names.cls(), d) + at(names.positions(), d);
      for (int p = 0; p < grid * grid; p++) {
        double sum = at(names.patches() + ".bias", d);
        for (int c = 0; c < channels; c++) {
          for (int i = 0; i < patch * patch; i++) {
            int row = p / grid * patch + i / patch;
            int column = p % grid * patch + i % patch;
            sum +=
                kernel.values()[(d * channels + c) * patch * patch + i]
                    * (double) image[(c * size + row) * size + column];
          }
        }
        x[1 + p][d] = sum + at(names.positions(), (1 + p) * dim + d);
      }
    }
    for (int b = 0; b < depth; b++) {
      add(x, attention(norm(x, names.norm1(b)), b), names.scale(b, 1));
      double[][] hidden = linear(norm(x, names.norm2(b)), names.fc1(b), 0, 1);
      for (double[] row : hidden) {
        for (int i = 0; i < row.length; i++) {
          row[i] = 0.5 * row[i] * (1 + erf(row[i] / Math.sqrt(2)));
        }
      }
      add(x, linear(hidden, names.fc2(b), 0, 1), names.scale(b, 2));
    }
    return norm(x, names.norm());
  }

  private void add(double[][] x, double[][] branch, String scale) {
    for (int t = 0; t < x.length; t++) {
      for (int d = 0; d < x[t].length; d++) {
        x[t][d] += branch[t][d] * (scale == null ? 1 : at(scale, d));
      }
    }
  }

  private double[][] norm(double[][] x, String name) {
    double[][] y = new double[x.length][x[0].length];
    for (int t = 0; t < x.length; t++) {
      double mean = 0;
      double variance = 0;
      for (double v : x[t]) {
        mean += v / x[t].length;
      }
      for (double v : x[t]) {
        variance += (v - mean) * (v - mean) / x[t].length;
      }
      for (int d = 0; d < y[t].length; d++) {
        y[t][d] =
            (x[t][d] - mean) / Math.sqrt(variance + EPSILON) * at(name + ".weight", d)
                + at(name + ".bias", d);
      }
    }
    return y;
  }

  /** One of so many matrices that lie below each other. */
  double[][] linear(double[][] x, String name, int part, int parts) {
    int to = file.get(name + ".weight").shape()[0] / parts;
    int from = file.get(name + ".weight").shape()[1];
    float[] weight = file.get(name + ".weight").values();
    double[][] y = new double[x.length][to];
    for (int t = 0; t < x.length; t++) {
      for (int o = 0; o < to; o++) {
        double sum = at(name + ".bias", part * to + o);
        for (int i = 0; i < from; i++) {
          sum += weight[(part * to + o) * from + i] * x[t][i];
        }
        y[t][o] = sum;
      }
    }
    return y;
  }

  private double[][] attention(double[][] x, int block) {
    double[][][] qkv = new double[3][][];
    for (int part = 0; part < 3; part++) {
      String name = names.attention(block, part);
      qkv[part] = names.joined() ? linear(x, name, part, 3) : linear(x, name, 0, 1);
    }
    int dim = x[0].length;
    int width = dim / heads;
    double[][] mixed = new double[x.length][dim];
    for (int h = 0; h < heads; h++) {
      for (int t = 0; t < x.length; t++) {
        double[] weight = new double[x.length];
        double sum = 0;
        for (int s = 0; s < x.length; s++) {
          for (int d = h * width; d < (h + 1) * width; d++) {
            weight[s] += qkv[0][t][d] * qkv[1][s][d] / Math.sqrt(width);
          }
          weight[s] = Math.exp(weight[s]);
          sum += weight[s];
        }
        for (int s = 0; s < x.length; s++) {
          for (int d = h * width; d < (h + 1) * width; d++) {
            mixed[t][d] += weight[s] / sum * qkv[2][s][d];
          }
        }
      }
    }
    return linear(mixed, names.projection(block), 0, 1);
  }

  /** By its series, which converges for all that occurs here. */
  private static double erf(double x) {
    if (Math.abs(x) > 5) {
      return Math.signum(x);
    }
    double term = x;
    double sum = x;
    for (int n = 1; n < 200; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }
}
