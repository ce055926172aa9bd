package org.mixtraining.kernels;

import static org.mixtraining.kernels.ScalarRowOps.whole;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Row operations with the Vector API, in one class since they share what the compiler inlines,
 * always on 256-bit vectors so that every machine gives the same bits; {@link ScalarRowOps}
 * finishes the columns that fill no vector.
 *
 * <p>Only {@link RowOps#best} may load this class: without the incubator module it does not link.
 */
final class VectorRowOps implements RowOps {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_256;
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

  @Override
  public void add(Matrix a, int ar, Matrix b, int br, Matrix y, int yr) {
    ByteBuffer as = a.bytes();
    ByteBuffer bs = b.bytes();
    ByteBuffer ys = y.bytes();
    int ao = a.at(ar);
    int bo = b.at(br);
    int yo = y.at(yr);
    int whole = whole(y.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      store(load(as, ao + j).add(load(bs, bo + j)), ys, yo + j);
    }
    ScalarRowOps.add(a, ar, b, br, y, yr, whole);
  }

  @Override
  public void multiply(Matrix y, Matrix x, int row, Matrix sum) {
    ByteBuffer ys = y.bytes();
    ByteBuffer xs = x.bytes();
    ByteBuffer ss = sum.bytes();
    int yo = y.at(row);
    int xo = x.at(row);
    int so = sum.at(0);
    int whole = whole(y.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector product = load(ys, yo + j).mul(load(xs, xo + j));
      store(product, ys, yo + j);
      store(load(ss, so + j).add(product), ss, so + j);
    }
    ScalarRowOps.multiply(y, x, row, sum, whole);
  }

  @Override
  public float sum(Matrix x, int row) {
    ByteBuffer xs = x.bytes();
    int xo = x.at(row);
    int whole = whole(x.cols());
    FloatVector lanes = FloatVector.zero(SPECIES);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      lanes = lanes.add(load(xs, xo + j));
    }
    return ScalarRowOps.sum(x, row, whole, combine(lanes));
  }

  @Override
  public float max(Matrix x, int row) {
    ByteBuffer xs = x.bytes();
    int xo = x.at(row);
    int whole = whole(x.cols());
    FloatVector lanes = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      lanes = lanes.max(load(xs, xo + j));
    }
    return ScalarRowOps.max(x, row, whole, lanes.reduceLanes(VectorOperators.MAX));
  }

  @Override
  public float dot(Matrix a, int ar, Matrix b, int br) {
    ByteBuffer as = a.bytes();
    ByteBuffer bs = b.bytes();
    int ao = a.at(ar);
    int bo = b.at(br);
    int whole = whole(a.cols());
    FloatVector lanes = FloatVector.zero(SPECIES);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      lanes = load(as, ao + j).fma(load(bs, bo + j), lanes);
    }
    return ScalarRowOps.dot(a, ar, b, br, whole, combine(lanes));
  }

  @Override
  public float squaredDeviation(Matrix x, int row, float mean) {
    ByteBuffer xs = x.bytes();
    int xo = x.at(row);
    int whole = whole(x.cols());
    FloatVector lanes = FloatVector.zero(SPECIES);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector d = load(xs, xo + j).sub(mean);
      lanes = d.fma(d, lanes);
    }
    return ScalarRowOps.squaredDeviation(x, row, mean, whole, combine(lanes));
  }

  @Override
  public void normalize(
      Matrix x, int row, float mean, float scale, Matrix gain, Matrix bias, Matrix y) {
    ByteBuffer xs = x.bytes();
    ByteBuffer gs = gain.bytes();
    ByteBuffer bs = bias.bytes();
    ByteBuffer ys = y.bytes();
    int xo = x.at(row);
    int go = gain.at(0);
    int bo = bias.at(0);
    int yo = y.at(row);
    int whole = whole(x.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector normal = load(xs, xo + j).sub(mean).mul(scale);
      store(normal.fma(load(gs, go + j), load(bs, bo + j)), ys, yo + j);
    }
    ScalarRowOps.normalize(x, row, mean, scale, gain, bias, y, whole);
  }

  @Override
  public float normalizedDot(Matrix dy, Matrix x, int row, float mean, float scale, Matrix gain) {
    ByteBuffer ds = dy.bytes();
    ByteBuffer xs = x.bytes();
    ByteBuffer gs = gain.bytes();
    int dyo = dy.at(row);
    int xo = x.at(row);
    int go = gain.at(0);
    int whole = whole(x.cols());
    FloatVector lanes = FloatVector.zero(SPECIES);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector normal = load(xs, xo + j).sub(mean).mul(scale);
      lanes = load(ds, dyo + j).mul(load(gs, go + j)).fma(normal, lanes);
    }
    return ScalarRowOps.normalizedDot(dy, x, row, mean, scale, gain, whole, combine(lanes));
  }

  @Override
  public void normalizeParameterGradient(
      Matrix dy, Matrix x, int row, float mean, float scale, Matrix dGain, Matrix dBias) {
    ByteBuffer ds = dy.bytes();
    ByteBuffer xs = x.bytes();
    ByteBuffer gs = dGain.bytes();
    ByteBuffer bs = dBias.bytes();
    int dyo = dy.at(row);
    int xo = x.at(row);
    int go = dGain.at(0);
    int bo = dBias.at(0);
    int whole = whole(x.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector normal = load(xs, xo + j).sub(mean).mul(scale);
      FloatVector d = load(ds, dyo + j);
      store(d.fma(normal, load(gs, go + j)), gs, go + j);
      store(load(bs, bo + j).add(d), bs, bo + j);
    }
    ScalarRowOps.normalizeParameterGradient(dy, x, row, mean, scale, dGain, dBias, whole);
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
    ByteBuffer ds = dy.bytes();
    ByteBuffer xs = x.bytes();
    ByteBuffer gs = gain.bytes();
    ByteBuffer rs = residual.bytes();
    ByteBuffer ys = dx.bytes();
    int dyo = dy.at(row);
    int xo = x.at(row);
    int go = gain.at(0);
    int ro = residual.at(row);
    int yo = dx.at(row);
    int whole = whole(x.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector normal = load(xs, xo + j).sub(mean).mul(scale);
      FloatVector centered =
          load(ds, dyo + j).mul(load(gs, go + j)).sub(meanDy).sub(normal.mul(meanDyX));
      store(centered.fma(broadcast(scale), load(rs, ro + j)), ys, yo + j);
    }
    ScalarRowOps.normalizeInputGradient(
        dy, x, row, mean, scale, gain, meanDy, meanDyX, residual, dx, whole);
  }

  @Override
  public void bell(Matrix h, int row, Matrix bias, Matrix y) {
    ByteBuffer hs = h.bytes();
    ByteBuffer bs = bias.bytes();
    ByteBuffer ys = y.bytes();
    int ho = h.at(row);
    int bo = bias.at(0);
    int yo = y.at(row);
    int whole = whole(h.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector x = load(hs, ho + j).add(load(bs, bo + j));
      store(exp(x.mul(x).mul(MINUS_HALF)), ys, yo + j);
    }
    ScalarRowOps.bell(h, row, bias, y, whole);
  }

  @Override
  public void gelu(Matrix h, int row, Matrix bias, Matrix y) {
    ByteBuffer hs = h.bytes();
    ByteBuffer bs = bias.bytes();
    ByteBuffer ys = y.bytes();
    int ho = h.at(row);
    int bo = bias.at(0);
    int yo = y.at(row);
    int whole = whole(h.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector x = load(hs, ho + j).add(load(bs, bo + j));
      FloatVector bell = load(ys, yo + j);
      FloatVector normal = normal(x, bell);
      store(x.mul(normal), ys, yo + j);
      store(x.mul(bell).fma(DENSITY, normal), hs, ho + j);
    }
    ScalarRowOps.gelu(h, row, bias, y, whole);
  }

  @Override
  public void softmax(Matrix x, int row, float scale) {
    float max = max(x, row);
    float sum = exps(x, row, max, scale);
    float factor = 1 / sum;
    ByteBuffer xs = x.bytes();
    int xo = x.at(row);
    int whole = whole(x.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      store(load(xs, xo + j).mul(factor), xs, xo + j);
    }
    ScalarRowOps.scale(x, row, factor, whole);
  }

  private static float exps(Matrix x, int row, float max, float scale) {
    ByteBuffer xs = x.bytes();
    int xo = x.at(row);
    int whole = whole(x.cols());
    FloatVector lanes = FloatVector.zero(SPECIES);
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector e = exp(load(xs, xo + j).sub(max).mul(scale));
      store(e, xs, xo + j);
      lanes = lanes.add(e);
    }
    return ScalarRowOps.exps(x, row, max, scale, whole, combine(lanes));
  }

  @Override
  public void softmaxGradient(Matrix p, int pr, Matrix dp, int dr, float dot, float scale) {
    ByteBuffer ps = p.bytes();
    ByteBuffer ds = dp.bytes();
    int po = p.at(pr);
    int dyo = dp.at(dr);
    int whole = whole(dp.cols());
    for (int j = 0; j < whole * BYTES; j += LANES * BYTES) {
      store(load(ds, dyo + j).sub(dot).mul(load(ps, po + j)).mul(scale), ds, dyo + j);
    }
    ScalarRowOps.softmaxGradient(p, pr, dp, dr, dot, scale, whole);
  }

  @Override
  public void adamW(Matrix gradient, Matrix m, Matrix v, int from, int to, AdamFactors f) {
    ByteBuffer gs = gradient.bytes();
    ByteBuffer ms = m.bytes();
    ByteBuffer vs = v.bytes();
    int go = gradient.at(0);
    int mo = m.at(0);
    int vo = v.at(0);
    int whole = from + whole(to - from);
    FloatVector beta1 = broadcast(f.beta1());
    FloatVector beta2 = broadcast(f.beta2());
    FloatVector rootScale = broadcast(f.rootScale());
    FloatVector eps = broadcast(f.eps());
    for (int j = from * BYTES; j < whole * BYTES; j += LANES * BYTES) {
      FloatVector g = load(gs, go + j);
      FloatVector first = load(ms, mo + j).fma(beta1, g.mul(f.rest1()));
      FloatVector second = load(vs, vo + j).fma(beta2, g.mul(g).mul(f.rest2()));
      store(first, ms, mo + j);
      store(second, vs, vo + j);
      store(first.mul(f.rate()).div(second.sqrt().fma(rootScale, eps)), gs, go + j);
    }
    ScalarRowOps.adamWTail(gradient, m, v, whole, to, f);
  }

  @Override
  public void addScaled(Matrix x, float factor, Matrix y, int from, int to) {
    ByteBuffer xs = x.bytes();
    ByteBuffer ys = y.bytes();
    int xo = x.at(0);
    int yo = y.at(0);
    int whole = from + whole(to - from);
    FloatVector by = broadcast(factor);
    for (int j = from * BYTES; j < whole * BYTES; j += LANES * BYTES) {
      store(load(xs, xo + j).fma(by, load(ys, yo + j)), ys, yo + j);
    }
    ScalarRowOps.addScaledTail(x, factor, y, whole, to);
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

  private static FloatVector load(ByteBuffer bytes, int at) {
    return FloatVector.fromByteBuffer(SPECIES, bytes, at, NATIVE);
  }

  private static void store(FloatVector v, ByteBuffer bytes, int at) {
    v.intoByteBuffer(bytes, at, NATIVE);
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }
}
