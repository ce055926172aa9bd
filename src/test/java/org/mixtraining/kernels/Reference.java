package org.mixtraining.kernels;

import org.apache.commons.math3.special.Erf;

/**
 * What {@link Kernels} should compute, in float64 and the plainest loops; {@link ReferenceTest}
 * holds its gradients against finite differences.
 */
final class Reference {
  private Reference() {}

  static double[][] matmul(double[][] a, double[][] b) {
    var c = new double[a.length][b[0].length];
    for (int i = 0; i < c.length; i++) {
      for (int j = 0; j < c[0].length; j++) {
        for (int k = 0; k < b.length; k++) {
          c[i][j] += a[i][k] * b[k][j];
        }
      }
    }
    return c;
  }

  static double[][] transpose(double[][] a) {
    var t = new double[a[0].length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[0].length; j++) {
        t[j][i] = a[i][j];
      }
    }
    return t;
  }

  /** a + b, where b may be one row that is added to every row. */
  static double[][] plus(double[][] a, double[][] b) {
    var sum = new double[a.length][a[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[0].length; j++) {
        sum[i][j] = a[i][j] + b[b.length == 1 ? 0 : i][j];
      }
    }
    return sum;
  }

  static double[][] columnSum(double[][] a) {
    var sum = new double[1][a[0].length];
    for (double[] row : a) {
      for (int j = 0; j < row.length; j++) {
        sum[0][j] += row[j];
      }
    }
    return sum;
  }

  // --- layer norm ------------------------------------------------------------------------------

  static double[][] layerNorm(double[][] x, double[][] gain, double[][] bias, double eps) {
    var y = new double[x.length][x[0].length];
    for (int i = 0; i < x.length; i++) {
      double[] s = stats(x[i], eps);
      for (int j = 0; j < x[0].length; j++) {
        y[i][j] = (x[i][j] - s[0]) * s[1] * gain[0][j] + bias[0][j];
      }
    }
    return y;
  }

  /** Mean and 1/√(var + eps). */
  static double[] stats(double[] row, double eps) {
    double mean = 0;
    for (double v : row) {
      mean += v / row.length;
    }
    double variance = 0;
    for (double v : row) {
      variance += (v - mean) * (v - mean) / row.length;
    }
    return new double[] {mean, 1 / Math.sqrt(variance + eps)};
  }

  record NormGradient(double[][] dx, double[][] dGain, double[][] dBias) {}

  static NormGradient layerNormBackward(double[][] dy, double[][] x, double[][] gain, double eps) {
    int n = x[0].length;
    var gradient = new NormGradient(new double[x.length][n], new double[1][n], new double[1][n]);
    for (int i = 0; i < x.length; i++) {
      double[] s = stats(x[i], eps);
      double meanDy = 0;
      double meanDyX = 0;
      for (int j = 0; j < n; j++) {
        double normal = (x[i][j] - s[0]) * s[1];
        meanDy += dy[i][j] * gain[0][j] / n;
        meanDyX += dy[i][j] * gain[0][j] * normal / n;
        gradient.dGain[0][j] += dy[i][j] * normal;
        gradient.dBias[0][j] += dy[i][j];
      }
      for (int j = 0; j < n; j++) {
        double normal = (x[i][j] - s[0]) * s[1];
        gradient.dx[i][j] = s[1] * (dy[i][j] * gain[0][j] - meanDy - normal * meanDyX);
      }
    }
    return gradient;
  }

  // --- GELU ------------------------------------------------------------------------------------

  static double gelu(double x) {
    return x * 0.5 * (1 + Erf.erf(x / Math.sqrt(2)));
  }

  static double geluDerivative(double x) {
    return 0.5 * (1 + Erf.erf(x / Math.sqrt(2)))
        + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  // --- attention -------------------------------------------------------------------------------

  static double[][] attention(double[][] qkv, int tokens, int heads) {
    int dim = qkv[0].length / 3;
    var out = new double[qkv.length][dim];
    for (int row = 0; row < qkv.length; row += tokens) {
      for (int head = 0; head < heads; head++) {
        var o =
            matmul(
                probabilities(qkv, tokens, heads, row, head),
                part(qkv, tokens, heads, row, head, 2));
        put(out, o, row, head * dim / heads);
      }
    }
    return out;
  }

  /** [tokens, tokens] of one head of the image that begins at a row. */
  static double[][] probabilities(double[][] qkv, int tokens, int heads, int row, int head) {
    double[][] q = part(qkv, tokens, heads, row, head, 0);
    double[][] k = part(qkv, tokens, heads, row, head, 1);
    double[][] scores = matmul(q, transpose(k));
    for (double[] s : scores) {
      for (int j = 0; j < s.length; j++) {
        s[j] /= Math.sqrt(q[0].length);
      }
      System.arraycopy(softmax(s), 0, s, 0, s.length);
    }
    return scores;
  }

  static double[][] attentionBackward(double[][] qkv, int tokens, int heads, double[][] dOut) {
    int dim = qkv[0].length / 3;
    int width = dim / heads;
    var dQkv = new double[qkv.length][3 * dim];
    for (int row = 0; row < qkv.length; row += tokens) {
      for (int head = 0; head < heads; head++) {
        double[][] p = probabilities(qkv, tokens, heads, row, head);
        double[][] d = cut(dOut, row, tokens, head * width, width);
        double[][] dp = matmul(d, transpose(part(qkv, tokens, heads, row, head, 2)));
        for (int i = 0; i < tokens; i++) {
          double dot = 0;
          for (int j = 0; j < tokens; j++) {
            dot += p[i][j] * dp[i][j];
          }
          for (int j = 0; j < tokens; j++) {
            dp[i][j] = p[i][j] * (dp[i][j] - dot) / Math.sqrt(width);
          }
        }
        int q = head * width;
        put(dQkv, matmul(dp, part(qkv, tokens, heads, row, head, 1)), row, q);
        put(dQkv, matmul(transpose(dp), part(qkv, tokens, heads, row, head, 0)), row, dim + q);
        put(dQkv, matmul(transpose(p), d), row, 2 * dim + q);
      }
    }
    return dQkv;
  }

  private static double[][] part(
      double[][] qkv, int tokens, int heads, int row, int head, int which) {
    int width = qkv[0].length / 3 / heads;
    return cut(qkv, row, tokens, (which * heads + head) * width, width);
  }

  private static double[][] cut(double[][] a, int row, int rows, int col, int cols) {
    var part = new double[rows][cols];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(a[row + i], col, part[i], 0, cols);
    }
    return part;
  }

  private static void put(double[][] into, double[][] part, int row, int col) {
    for (int i = 0; i < part.length; i++) {
      System.arraycopy(part[i], 0, into[row + i], col, part[i].length);
    }
  }

  static double[] softmax(double[] scores) {
    double max = Double.NEGATIVE_INFINITY;
    for (double s : scores) {
      max = Math.max(max, s);
    }
    double sum = 0;
    var p = new double[scores.length];
    for (int j = 0; j < p.length; j++) {
      p[j] = Math.exp(scores[j] - max);
      sum += p[j];
    }
    for (int j = 0; j < p.length; j++) {
      p[j] /= sum;
    }
    return p;
  }

  // --- losses ----------------------------------------------------------------------------------

  static double crossEntropy(double[][] logits, double[][] target) {
    double loss = 0;
    for (int i = 0; i < logits.length; i++) {
      double[] p = softmax(logits[i]);
      for (int j = 0; j < p.length; j++) {
        loss -= target[i][j] * Math.log(p[j]);
      }
    }
    return loss;
  }

  static double[][] crossEntropyBackward(double[][] logits, double[][] target) {
    var d = new double[logits.length][logits[0].length];
    for (int i = 0; i < d.length; i++) {
      double[] p = softmax(logits[i]);
      double all = 0;
      for (double t : target[i]) {
        all += t;
      }
      for (int j = 0; j < p.length; j++) {
        d[i][j] = p[j] * all - target[i][j];
      }
    }
    return d;
  }

  static double squaredError(double[][] prediction, double[][] target, double[][] selected) {
    double loss = 0;
    for (int i = 0; i < prediction.length; i++) {
      for (int j = 0; j < prediction[0].length; j++) {
        loss += selected[i][0] * Math.pow(prediction[i][j] - target[i][j], 2);
      }
    }
    return loss;
  }
}
