package org.mixtraining.kernels;

/**
 * Row operations in plain Java on the columns from one on: all, for JVMs without the Vector API, or
 * those that fill no vector of {@link VectorRowOps}.
 */
record ScalarRowOps(int from) implements RowOps {

  @Override
  public void add(Matrix a, int ar, Matrix b, int br, Matrix y, int yr) {
    for (int j = from; j < y.cols(); j++) {
      y.put(yr, j, a.at(ar, j) + b.at(br, j));
    }
  }

  @Override
  public void multiply(Matrix y, Matrix x, int row, Matrix sum) {
    for (int j = from; j < y.cols(); j++) {
      float product = y.at(row, j) * x.at(row, j);
      y.put(row, j, product);
      sum.put(0, j, sum.at(0, j) + product);
    }
  }

  @Override
  public float sum(Matrix x, int row) {
    return reduce(x.cols(), values(x, row));
  }

  static Term values(Matrix x, int row) {
    return (sum, j) -> sum + x.at(row, j);
  }

  @Override
  public float max(Matrix x, int row) {
    return rest(x.cols(), maximum(x, row), from, Float.NEGATIVE_INFINITY);
  }

  static Term maximum(Matrix x, int row) {
    return (max, j) -> Math.max(max, x.at(row, j));
  }

  @Override
  public float dot(Matrix a, int ar, Matrix b, int br) {
    return reduce(a.cols(), products(a, ar, b, br));
  }

  static Term products(Matrix a, int ar, Matrix b, int br) {
    return (sum, j) -> Math.fma(a.at(ar, j), b.at(br, j), sum);
  }

  @Override
  public float squaredDeviation(Matrix x, int row, float mean) {
    return reduce(x.cols(), squares(x, row, mean));
  }

  static Term squares(Matrix x, int row, float mean) {
    return (sum, j) -> Math.fma(x.at(row, j) - mean, x.at(row, j) - mean, sum);
  }

  @Override
  public void normalize(
      Matrix x, int row, float mean, float scale, Matrix gain, Matrix bias, Matrix y) {
    for (int j = from; j < y.cols(); j++) {
      float normal = (x.at(row, j) - mean) * scale;
      y.put(row, j, Math.fma(normal, gain.at(0, j), bias.at(0, j)));
    }
  }

  @Override
  public float normalizedDot(Matrix dy, Matrix x, int row, float mean, float scale, Matrix gain) {
    return reduce(x.cols(), normalizedProducts(dy, x, row, mean, scale, gain));
  }

  static Term normalizedProducts(
      Matrix dy, Matrix x, int row, float mean, float scale, Matrix gain) {
    return (sum, j) -> Math.fma(dy.at(row, j) * gain.at(0, j), (x.at(row, j) - mean) * scale, sum);
  }

  @Override
  public void normalizeParameterGradient(
      Matrix dy, Matrix x, int row, float mean, float scale, Matrix dGain, Matrix dBias) {
    for (int j = from; j < x.cols(); j++) {
      float normal = (x.at(row, j) - mean) * scale;
      dGain.put(0, j, Math.fma(dy.at(row, j), normal, dGain.at(0, j)));
      dBias.put(0, j, dBias.at(0, j) + dy.at(row, j));
    }
  }

  @Override
  public void normalizeInputGradient(
      Matrix dy,
      Matrix x,
      int row,
      float mean,
      float scale,
      Matrix gain,
      float meanDy,
      float meanDyX,
      Matrix residual,
      Matrix dx) {
    for (int j = from; j < x.cols(); j++) {
      float normal = (x.at(row, j) - mean) * scale;
      float centered = dy.at(row, j) * gain.at(0, j) - meanDy - normal * meanDyX;
      dx.put(row, j, Math.fma(centered, scale, residual.at(row, j)));
    }
  }

  @Override
  public void bell(Matrix h, int row, Matrix bias, Matrix y) {
    for (int j = from; j < h.cols(); j++) {
      float x = h.at(row, j) + bias.at(0, j);
      y.put(row, j, FastMath.exp(x * x * -0.5f));
    }
  }

  @Override
  public void gelu(Matrix h, int row, Matrix bias, Matrix y) {
    for (int j = from; j < h.cols(); j++) {
      float x = h.at(row, j) + bias.at(0, j);
      float bell = y.at(row, j);
      float normal = FastMath.normal(x, bell);
      y.put(row, j, x * normal);
      h.put(row, j, Math.fma(x * bell, FastMath.DENSITY, normal));
    }
  }

  @Override
  public void softmax(Matrix x, int row, float scale) {
    float sum = reduce(x.cols(), exps(x, row, max(x, row), scale));
    scale(x, row, 1 / sum);
  }

  /** Sets x to exp((x − max) · scale), and adds that. */
  static Term exps(Matrix x, int row, float max, float scale) {
    return (sum, j) -> {
      float e = FastMath.exp((x.at(row, j) - max) * scale);
      x.put(row, j, e);
      return sum + e;
    };
  }

  void scale(Matrix x, int row, float factor) {
    for (int j = from; j < x.cols(); j++) {
      x.put(row, j, x.at(row, j) * factor);
    }
  }

  @Override
  public void softmaxGradient(Matrix p, int pr, Matrix dp, int dr, float dot, float scale) {
    for (int j = from; j < dp.cols(); j++) {
      dp.put(dr, j, (dp.at(dr, j) - dot) * p.at(pr, j) * scale);
    }
  }

  @Override
  public void adamW(Matrix gradient, Matrix m, Matrix v, int from, int to, AdamFactors f) {
    for (int j = from; j < to; j++) {
      float g = gradient.at(0, j);
      float first = Math.fma(m.at(0, j), f.beta1(), g * f.rest1());
      float second = Math.fma(v.at(0, j), f.beta2(), g * g * f.rest2());
      m.put(0, j, first);
      v.put(0, j, second);
      float root = (float) Math.sqrt(second);
      gradient.put(0, j, first * f.rate() / Math.fma(root, f.rootScale(), f.eps()));
    }
  }

  @Override
  public void addScaled(Matrix x, float factor, Matrix y, int from, int to) {
    for (int j = from; j < to; j++) {
      y.put(0, j, Math.fma(x.at(0, j), factor, y.at(0, j)));
    }
  }

  /** Columns that fill whole vectors. */
  static int whole(int cols) {
    return cols / LANES * LANES;
  }

  /** A partial result with what column j adds to it. */
  interface Term {
    float plus(float sum, int j);
  }

  private float reduce(int cols, Term term) {
    float[] lanes = new float[LANES];
    int whole = whole(cols);
    for (int j = from; j < whole; j++) {
      lanes[j % LANES] = term.plus(lanes[j % LANES], j);
    }
    return rest(cols, term, Math.max(from, whole), combine(lanes));
  }

  /** A partial result with what the columns from one on add to it. */
  static float rest(int cols, Term term, int from, float start) {
    float sum = start;
    for (int j = from; j < cols; j++) {
      sum = term.plus(sum, j);
    }
    return sum;
  }

  /** The one order in which lanes are added. */
  private static float combine(float[] l) {
    return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
  }
}
