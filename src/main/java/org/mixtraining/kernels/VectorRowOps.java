package org.mixtraining.kernels;

import static org.mixtraining.kernels.ScalarRowOps.rest;
import static org.mixtraining.kernels.ScalarRowOps.whole;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.mixtraining.kernels.ScalarRowOps.Term;

/**
 * Row operations with the Vector API, in one class since they share what the compiler inlines,
 * always on 256-bit vectors so that every machine gives the same bits; {@link ScalarRowOps}
 * finishes the columns that fill no vector.
 *
 * <p>Only {@link RowOps#best} may load this class: without the incubator module it does not link.
 */
final class VectorRowOps implements RowOps {
  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_256;
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();
  private static final int BYTES = Float.BYTES;

  // Constants that are vectors already spare HotSpot a broadcast at each use; CpuKernels.eachRow
  // says why the size of compiled code matters.
  private static final FloatVector ONE = broadcast(1f);
  private static final FloatVector HALF = broadcast(0.5f);
  private static final FloatVector MINUS_HALF = broadcast(-0.5f);
  private static final FloatVector LOWEST = broadcast(FastMath.LOWEST);
  private static final FloatVector LOG2_E = broadcast(FastMath.LOG2_E);
  private static final FloatVector ROUND = broadcast(FastMath.ROUND);
  private static final FloatVector LN2_HIGH = broadcast(FastMath.LN2_HIGH);
  private static final FloatVector LN2_LOW = broadcast(FastMath.LN2_LOW);
  private static final FloatVector E7 = broadcast(FastMath.E7);
  private static final FloatVector E6 = broadcast(FastMath.E6);
  private static final FloatVector E5 = broadcast(FastMath.E5);
  private static final FloatVector E4 = broadcast(FastMath.E4);
  private static final FloatVector E3 = broadcast(FastMath.E3);
  private static final FloatVector E2 = broadcast(FastMath.E2);
  private static final FloatVector DENSITY = broadcast(FastMath.DENSITY);
  private static final FloatVector P = broadcast(FastMath.P);
  private static final FloatVector A5 = broadcast(FastMath.A5);
  private static final FloatVector A4 = broadcast(FastMath.A4);
  private static final FloatVector A3 = broadcast(FastMath.A3);
  private static final FloatVector A2 = broadcast(FastMath.A2);
  private static final FloatVector A1 = broadcast(FastMath.A1);
  private static final IntVector ONE_BITS = ONE.reinterpretAsInts();
  private static final IntVector SIGN_BIT = broadcast(-0f).reinterpretAsInts();

  /** Whether 256-bit vectors are in hardware; elsewhere they are emulated, lane by lane. */
  static boolean suitsProcessor() {
    return FloatVector.SPECIES_PREFERRED.length() >= SPECIES.length();
  }

  /**
   * Calls everything of the Vector API that is called here.
   *
   * @throws LinkageError if this JDK's lacks some of it: it still changes from release to release
   */
  static void tryOut() {
    ByteBuffer bytes = ByteBuffer.allocateDirect(LANES * BYTES).order(NATIVE);
    Row row = new Row(Segments.of(bytes), 0);
    FloatVector x =
        row.load(0).add(FloatVector.zero(SPECIES)).sub(HALF).sub(1f).mul(2f).div(ONE).sqrt();
    FloatVector y = normal(x, exp(x)).max(ONE);
    row.store(y.mul(y.reduceLanes(VectorOperators.MAX) + combine(y)), 0);
  }

  @Override
  public void add(Matrix a, int ar, Matrix b, int br, Matrix y, int yr) {
    Row as = Row.of(a, ar);
    Row bs = Row.of(b, br);
    Row ys = Row.of(y, yr);
    int whole = whole(y.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      ys.store(as.load(j).add(bs.load(j)), j);
    }
    new ScalarRowOps(whole).add(a, ar, b, br, y, yr);
  }

  @Override
  public void multiply(Matrix y, Matrix x, int row, Matrix sum) {
    Row ys = Row.of(y, row);
    Row xs = Row.of(x, row);
    Row ss = Row.of(sum, 0);
    int whole = whole(y.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector product = ys.load(j).mul(xs.load(j));
      ys.store(product, j);
      ss.store(ss.load(j).add(product), j);
    }
    new ScalarRowOps(whole).multiply(y, x, row, sum);
  }

  @Override
  public float sum(Matrix x, int row) {
    Row xs = Row.of(x, row);
    int whole = whole(x.cols());
    FloatVector lanes = FloatVector.zero(SPECIES);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      lanes = lanes.add(xs.load(j));
    }
    return rest(x.cols(), ScalarRowOps.values(x, row), whole, combine(lanes));
  }

  @Override
  public float max(Matrix x, int row) {
    Row xs = Row.of(x, row);
    int whole = whole(x.cols());
    FloatVector lanes = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      lanes = lanes.max(xs.load(j));
    }
    float max = lanes.reduceLanes(VectorOperators.MAX);
    return rest(x.cols(), ScalarRowOps.maximum(x, row), whole, max);
  }

  @Override
  public float dot(Matrix a, int ar, Matrix b, int br) {
    Row as = Row.of(a, ar);
    Row bs = Row.of(b, br);
    int whole = whole(a.cols());
    FloatVector lanes = FloatVector.zero(SPECIES);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      lanes = as.load(j).fma(bs.load(j), lanes);
    }
    return rest(a.cols(), ScalarRowOps.products(a, ar, b, br), whole, combine(lanes));
  }

  @Override
  public float squaredDeviation(Matrix x, int row, float mean) {
    Row xs = Row.of(x, row);
    int whole = whole(x.cols());
    FloatVector lanes = FloatVector.zero(SPECIES);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector d = xs.load(j).sub(mean);
      lanes = d.fma(d, lanes);
    }
    return rest(x.cols(), ScalarRowOps.squares(x, row, mean), whole, combine(lanes));
  }

  @Override
  public void normalize(
      Matrix x, int row, float mean, float scale, Matrix gain, Matrix bias, Matrix y) {
    Row xs = Row.of(x, row);
    Row gs = Row.of(gain, 0);
    Row bs = Row.of(bias, 0);
    Row ys = Row.of(y, row);
    int whole = whole(x.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector normal = xs.load(j).sub(mean).mul(scale);
      ys.store(normal.fma(gs.load(j), bs.load(j)), j);
    }
    new ScalarRowOps(whole).normalize(x, row, mean, scale, gain, bias, y);
  }

  @Override
  public float normalizedDot(Matrix dy, Matrix x, int row, float mean, float scale, Matrix gain) {
    Row ds = Row.of(dy, row);
    Row xs = Row.of(x, row);
    Row gs = Row.of(gain, 0);
    int whole = whole(x.cols());
    FloatVector lanes = FloatVector.zero(SPECIES);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector normal = xs.load(j).sub(mean).mul(scale);
      lanes = ds.load(j).mul(gs.load(j)).fma(normal, lanes);
    }
    Term products = ScalarRowOps.normalizedProducts(dy, x, row, mean, scale, gain);
    return rest(x.cols(), products, whole, combine(lanes));
  }

  @Override
  public void normalizeParameterGradient(
      Matrix dy, Matrix x, int row, float mean, float scale, Matrix dGain, Matrix dBias) {
    Row ds = Row.of(dy, row);
    Row xs = Row.of(x, row);
    Row gs = Row.of(dGain, 0);
    Row bs = Row.of(dBias, 0);
    int whole = whole(x.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector normal = xs.load(j).sub(mean).mul(scale);
      FloatVector d = ds.load(j);
      gs.store(d.fma(normal, gs.load(j)), j);
      bs.store(bs.load(j).add(d), j);
    }
    new ScalarRowOps(whole).normalizeParameterGradient(dy, x, row, mean, scale, dGain, dBias);
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
    Row ds = Row.of(dy, row);
    Row xs = Row.of(x, row);
    Row gs = Row.of(gain, 0);
    Row rs = Row.of(residual, row);
    Row ys = Row.of(dx, row);
    int whole = whole(x.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector normal = xs.load(j).sub(mean).mul(scale);
      FloatVector centered = ds.load(j).mul(gs.load(j)).sub(meanDy).sub(normal.mul(meanDyX));
      ys.store(centered.fma(broadcast(scale), rs.load(j)), j);
    }
    new ScalarRowOps(whole)
        .normalizeInputGradient(dy, x, row, mean, scale, gain, meanDy, meanDyX, residual, dx);
  }

  @Override
  public void bell(Matrix h, int row, Matrix bias, Matrix y) {
    Row hs = Row.of(h, row);
    Row bs = Row.of(bias, 0);
    Row ys = Row.of(y, row);
    int whole = whole(h.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector x = hs.load(j).add(bs.load(j));
      ys.store(exp(x.mul(x).mul(MINUS_HALF)), j);
    }
    new ScalarRowOps(whole).bell(h, row, bias, y);
  }

  @Override
  public void gelu(Matrix h, int row, Matrix bias, Matrix y) {
    Row hs = Row.of(h, row);
    Row bs = Row.of(bias, 0);
    Row ys = Row.of(y, row);
    int whole = whole(h.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector x = hs.load(j).add(bs.load(j));
      FloatVector bell = ys.load(j);
      FloatVector normal = normal(x, bell);
      ys.store(x.mul(normal), j);
      hs.store(x.mul(bell).fma(DENSITY, normal), j);
    }
    new ScalarRowOps(whole).gelu(h, row, bias, y);
  }

  @Override
  public void softmax(Matrix x, int row, float scale) {
    float max = max(x, row);
    float sum = exps(x, row, max, scale);
    float factor = 1 / sum;
    Row xs = Row.of(x, row);
    int whole = whole(x.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      xs.store(xs.load(j).mul(factor), j);
    }
    new ScalarRowOps(whole).scale(x, row, factor);
  }

  private static float exps(Matrix x, int row, float max, float scale) {
    Row xs = Row.of(x, row);
    int whole = whole(x.cols());
    FloatVector lanes = FloatVector.zero(SPECIES);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector e = exp(xs.load(j).sub(max).mul(scale));
      xs.store(e, j);
      lanes = lanes.add(e);
    }
    return rest(x.cols(), ScalarRowOps.exps(x, row, max, scale), whole, combine(lanes));
  }

  @Override
  public void softmaxGradient(Matrix p, int pr, Matrix dp, int dr, float dot, float scale) {
    Row ps = Row.of(p, pr);
    Row ds = Row.of(dp, dr);
    int whole = whole(dp.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      ds.store(ds.load(j).sub(dot).mul(ps.load(j)).mul(scale), j);
    }
    new ScalarRowOps(whole).softmaxGradient(p, pr, dp, dr, dot, scale);
  }

  @Override
  public void adamW(Matrix gradient, Matrix m, Matrix v, int from, int to, AdamFactors f) {
    Row gs = Row.of(gradient, 0);
    Row ms = Row.of(m, 0);
    Row vs = Row.of(v, 0);
    int whole = from + whole(to - from);
    FloatVector beta1 = broadcast(f.beta1());
    FloatVector beta2 = broadcast(f.beta2());
    FloatVector rootScale = broadcast(f.rootScale());
    FloatVector eps = broadcast(f.eps());
    for (int j = from * BYTES; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector g = gs.load(j);
      FloatVector first = ms.load(j).fma(beta1, g.mul(f.rest1()));
      FloatVector second = vs.load(j).fma(beta2, g.mul(g).mul(f.rest2()));
      ms.store(first, j);
      vs.store(second, j);
      gs.store(first.mul(f.rate()).div(second.sqrt().fma(rootScale, eps)), j);
    }
    new ScalarRowOps(whole).adamW(gradient, m, v, whole, to, f);
  }

  @Override
  public void addScaled(Matrix x, float factor, Matrix y, int from, int to) {
    Row xs = Row.of(x, 0);
    Row ys = Row.of(y, 0);
    int whole = from + whole(to - from);
    FloatVector by = broadcast(factor);
    for (int j = from * BYTES; j < whole * BYTES; j += LANES * BYTES) {
      ys.store(xs.load(j).fma(by, ys.load(j)), j);
    }
    new ScalarRowOps(whole).addScaled(x, factor, y, whole, to);
  }

  /** {@link FastMath#exp} by lane. */
  private static FloatVector exp(FloatVector x) {
    FloatVector clamped = x.max(LOWEST);
    FloatVector rounded = clamped.fma(LOG2_E, ROUND);
    FloatVector n = rounded.sub(ROUND);
    FloatVector f = n.fma(LN2_LOW, n.fma(LN2_HIGH, clamped));
    FloatVector p = E7.fma(f, E6).fma(f, E5).fma(f, E4).fma(f, E3).fma(f, E2);
    p = p.fma(f.mul(f), f).add(ONE);
    IntVector exponent = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return p.mul(exponent.add(ONE_BITS).reinterpretAsFloats());
  }

  /** {@link FastMath#normal} by lane. */
  private static FloatVector normal(FloatVector x, FloatVector bell) {
    FloatVector t = ONE.div(x.abs().fma(P, ONE));
    FloatVector p = A5.fma(t, A4).fma(t, A3).fma(t, A2).fma(t, A1);
    FloatVector half = HALF.sub(p.mul(t).mul(bell).mul(HALF));
    IntVector sign = x.reinterpretAsInts().and(SIGN_BIT);
    return half.reinterpretAsInts().or(sign).reinterpretAsFloats().add(HALF);
  }

  /** The lanes added in {@link RowOps}' order. */
  private static float combine(FloatVector v) {
    return ((v.lane(0) + v.lane(4)) + (v.lane(2) + v.lane(6)))
        + ((v.lane(1) + v.lane(5)) + (v.lane(3) + v.lane(7)));
  }

  /** A row of a matrix: its memory, as {@link Segments#of} gives it, and where it begins there. */
  private record Row(Object memory, int start) {
    private static final boolean BUFFERS = Segments.TYPE == null;

    static Row of(Matrix x, int row) {
      return new Row(x.vectors(), x.at(row));
    }

    /** The vector from byte j of the row. */
    FloatVector load(int j) {
      return BUFFERS
          ? FloatVector.fromByteBuffer(SPECIES, (ByteBuffer) memory, start + j, NATIVE)
          : SegmentVectors.load(memory, start + j);
    }

    void store(FloatVector v, int j) {
      if (BUFFERS) {
        v.intoByteBuffer((ByteBuffer) memory, start + j, NATIVE);
      } else {
        SegmentVectors.store(v, memory, start + j);
      }
    }
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }
}
