package org.mixtraining.reference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntBinaryOperator;
import java.util.stream.IntStream;
import org.apache.commons.math3.special.Erf;

/**
 * Reverse-mode automatic differentiation over matrices of doubles: each operation computes its
 * value at once and leaves its derivative on the tape; {@link #backward} runs the tape in reverse.
 * Inputs are plain nodes.
 */
final class Tape {

  private final List<Runnable> derivatives = new ArrayList<>();

  /** Leaves on the tape how an operation's gradient goes on to its inputs. */
  void derivative(Runnable step) {
    derivatives.add(step);
  }

  /** Fills the gradient of every node that {@code loss}[1, 1] was computed from. Call it once. */
  void backward(Node loss) {
    require(loss.value.length == 1, "backward", loss, loss);
    loss.gradient[0] = 1;
    for (int i = derivatives.size() - 1; i >= 0; i--) {
      derivatives.get(i).run();
    }
  }

  /** C[n, m] = A[n, k] · B[k, m]; dA = dC · Bᵀ, dB = Aᵀ · dC. */
  Node matmul(Node a, Node b) {
    require(a.cols == b.rows, "matmul", a, b);
    int inner = a.cols;
    int cols = b.cols;
    Node c = Node.zeros(a.rows, cols);
    for (int i = 0; i < a.rows; i++) {
      for (int k = 0; k < inner; k++) {
        for (int j = 0; j < cols; j++) {
          c.value[i * cols + j] += a.value[i * inner + k] * b.value[k * cols + j];
        }
      }
    }
    derivative(
        () -> {
          for (int i = 0; i < a.rows; i++) {
            for (int k = 0; k < inner; k++) {
              double sum = 0;
              for (int j = 0; j < cols; j++) {
                double dc = c.gradient[i * cols + j];
                sum += dc * b.value[k * cols + j];
                b.gradient[k * cols + j] += dc * a.value[i * inner + k];
              }
              a.gradient[i * inner + k] += sum;
            }
          }
        });
    return c;
  }

  /** A + B, where B has A's shape, or is one row that is added to every row of A. */
  Node add(Node a, Node b) {
    require(a.cols == b.cols && (a.rows == b.rows || b.rows == 1), "add", a, b);
    int period = b.value.length;
    Node sum = Node.zeros(a.rows, a.cols);
    for (int i = 0; i < sum.value.length; i++) {
      sum.value[i] = a.value[i] + b.value[i % period];
    }
    derivative(
        () -> {
          for (int i = 0; i < sum.value.length; i++) {
            a.gradient[i] += sum.gradient[i];
            b.gradient[i % period] += sum.gradient[i];
          }
        });
    return sum;
  }

  /** factor · A. */
  Node scale(Node a, double factor) {
    Node scaled = Node.zeros(a.rows, a.cols);
    for (int i = 0; i < a.value.length; i++) {
      scaled.value[i] = factor * a.value[i];
    }
    derivative(
        () -> {
          for (int i = 0; i < a.value.length; i++) {
            a.gradient[i] += factor * scaled.gradient[i];
          }
        });
    return scaled;
  }

  Node transpose(Node a) {
    return pick(a, a.cols, a.rows, (row, col) -> col * a.cols + row);
  }

  /** The rows of the given indices, in that order; an index may come more than once. */
  Node gatherRows(Node a, int... indices) {
    return pick(a, indices.length, a.cols, (row, col) -> indices[row] * a.cols + col);
  }

  /** Rows {@code from} (inclusive) to {@code to} (exclusive). */
  Node rows(Node a, int from, int to) {
    return gatherRows(a, IntStream.range(from, to).toArray());
  }

  /** Columns {@code from} (inclusive) to {@code to} (exclusive). */
  Node cols(Node a, int from, int to) {
    return pick(a, a.rows, to - from, (row, col) -> row * a.cols + from + col);
  }

  /** Copies entries of A; the gradient of each copy goes back to where it came from. */
  private Node pick(Node a, int rows, int cols, IntBinaryOperator source) {
    Node picked = Node.zeros(rows, cols);
    for (int i = 0; i < picked.value.length; i++) {
      picked.value[i] = a.value[source.applyAsInt(i / cols, i % cols)];
    }
    derivative(
        () -> {
          for (int i = 0; i < picked.value.length; i++) {
            a.gradient[source.applyAsInt(i / cols, i % cols)] += picked.gradient[i];
          }
        });
    return picked;
  }

  /** A above B. */
  Node concatRows(Node a, Node b) {
    require(a.cols == b.cols, "concatRows", a, b);
    Node both = Node.zeros(a.rows + b.rows, a.cols);
    int split = a.value.length;
    System.arraycopy(a.value, 0, both.value, 0, split);
    System.arraycopy(b.value, 0, both.value, split, b.value.length);
    derivative(
        () -> {
          for (int i = 0; i < both.value.length; i++) {
            Node source = i < split ? a : b;
            source.gradient[i < split ? i : i - split] += both.gradient[i];
          }
        });
    return both;
  }

  /** gelu(x) = x·Φ(x) with the Gauss error function; its derivative is Φ(x) + x·φ(x). */
  Node gelu(Node a) {
    double[] cdf = Arrays.stream(a.value).map(x -> 0.5 * Erf.erfc(-x / Math.sqrt(2))).toArray();
    Node activated = Node.zeros(a.rows, a.cols);
    for (int i = 0; i < a.value.length; i++) {
      activated.value[i] = a.value[i] * cdf[i];
    }
    derivative(
        () -> {
          for (int i = 0; i < a.value.length; i++) {
            double x = a.value[i];
            double density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
            a.gradient[i] += activated.gradient[i] * (cdf[i] + x * density);
          }
        });
    return activated;
  }

  /**
   * By row: x̂ = (x − mean)/√(var + eps), y = x̂·gain + bias. With g = dy·gain: dx = (g − mean(g) −
   * x̂·mean(g·x̂))/√(var + eps).
   */
  Node layerNorm(Node x, Node gain, Node bias, double eps) {
    require(gain.value.length == x.cols && bias.value.length == x.cols, "layerNorm", x, gain);
    int n = x.cols;
    Node y = Node.zeros(x.rows, n);
    double[] normal = new double[x.value.length];
    double[] inverse = new double[x.rows];
    for (int row = 0; row < x.rows; row++) {
      double[] entries = Arrays.copyOfRange(x.value, row * n, (row + 1) * n);
      double mean = Arrays.stream(entries).sum() / n;
      double variance = Arrays.stream(entries).map(e -> (e - mean) * (e - mean)).sum() / n;
      inverse[row] = 1 / Math.sqrt(variance + eps);
      for (int j = 0; j < n; j++) {
        normal[row * n + j] = (entries[j] - mean) * inverse[row];
        y.value[row * n + j] = normal[row * n + j] * gain.value[j] + bias.value[j];
      }
    }
    derivative(
        () -> {
          for (int row = 0; row < x.rows; row++) {
            double meanG = 0;
            double meanGNormal = 0;
            for (int j = 0; j < n; j++) {
              double dy = y.gradient[row * n + j];
              gain.gradient[j] += dy * normal[row * n + j];
              bias.gradient[j] += dy;
              meanG += dy * gain.value[j] / n;
              meanGNormal += dy * gain.value[j] * normal[row * n + j] / n;
            }
            for (int j = 0; j < n; j++) {
              int i = row * n + j;
              double g = y.gradient[i] * gain.value[j];
              x.gradient[i] += (g - meanG - normal[i] * meanGNormal) * inverse[row];
            }
          }
        });
    return y;
  }

  /** Softmax of each row, p; da = p·(dp − Σ p·dp). */
  Node softmaxRows(Node a) {
    Node p = new Node(a.rows, a.cols, Arrays.stream(logSoftmax(a)).map(Math::exp).toArray());
    derivative(
        () -> {
          for (int row = 0; row < a.rows; row++) {
            double dot = 0;
            for (int i = row * a.cols; i < (row + 1) * a.cols; i++) {
              dot += p.value[i] * p.gradient[i];
            }
            for (int i = row * a.cols; i < (row + 1) * a.cols; i++) {
              a.gradient[i] += p.value[i] * (p.gradient[i] - dot);
            }
          }
        });
    return p;
  }

  static double[] logSoftmax(Node a) {
    double[] logs = new double[a.value.length];
    for (int start = 0; start < logs.length; start += a.cols) {
      double[] entries = Arrays.copyOfRange(a.value, start, start + a.cols);
      double max = Arrays.stream(entries).max().orElseThrow();
      double logSum = Math.log(Arrays.stream(entries).map(e -> Math.exp(e - max)).sum());
      for (int j = 0; j < a.cols; j++) {
        logs[start + j] = entries[j] - max - logSum;
      }
    }
    return logs;
  }

  /** The mean row, [1, cols]. */
  Node meanOfRows(Node a) {
    double[] weights = new double[a.rows];
    Arrays.fill(weights, 1.0 / a.rows);
    return matmul(new Node(1, a.rows, weights), a);
  }

  private static void require(boolean fits, String operation, Node a, Node b) {
    if (!fits) {
      throw new IllegalArgumentException(operation + " of " + a + " and " + b);
    }
  }
}
