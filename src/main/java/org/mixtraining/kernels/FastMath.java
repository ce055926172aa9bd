package org.mixtraining.kernels;

/**
 * Fast approximations of exp and the normal distribution for softmax and GELU, one float at a time;
 * {@link VectorRowOps} does the same steps eight at a time. {@link #exp} is Cephes' expf (relative
 * error 1e-7), {@link #normal} builds on Abramowitz and Stegun 7.1.26 (absolute error 1e-7).
 */
final class FastMath {
  private FastMath() {}

  /** Here exp(x) is 0, as from −87.68 on, where it would be less than the smallest normal float. */
  static final float LOWEST = -88f;

  static final float LOG2_E = 1.44269504f;

  /** 1.5 · 2²³: adding it leaves the nearest integer in a float's low bits. */
  static final float ROUND = 12582912f;

  /** −ln 2 in two parts, the first of few bits, so that n · LN2_HIGH is exact. */
  static final float LN2_HIGH = -0.693359375f;

  static final float LN2_LOW = 2.12194440e-4f;

  static final float E7 = 1.9875691500e-4f;
  static final float E6 = 1.3981999507e-3f;
  static final float E5 = 8.3334519073e-3f;
  static final float E4 = 4.1665795894e-2f;
  static final float E3 = 1.6666665459e-1f;
  static final float E2 = 5.0000001201e-1f;

  /** 1/√(2π). */
  static final float DENSITY = 0.3989422804f;

  /** p/√2 and a1 … a5 of 7.1.26. */
  static final float P = 0.3275911f * 0.70710678f;

  static final float A5 = 1.061405429f;
  static final float A4 = -1.453152027f;
  static final float A3 = 1.421413741f;
  static final float A2 = -0.284496736f;
  static final float A1 = 0.254829592f;

  /** exp(x) for x ≤ 88, −∞ among them. */
  static float exp(float x) {
    float clamped = Math.max(x, LOWEST);
    float rounded = Math.fma(clamped, LOG2_E, ROUND);
    float n = rounded - ROUND;
    float f = Math.fma(n, LN2_LOW, Math.fma(n, LN2_HIGH, clamped));
    float p = Math.fma(E7, f, E6);
    p = Math.fma(p, f, E5);
    p = Math.fma(p, f, E4);
    p = Math.fma(p, f, E3);
    p = Math.fma(p, f, E2);
    p = Math.fma(p, f * f, f) + 1f;
    int exponent = (Float.floatToRawIntBits(rounded) << 23) + 0x3f800000;
    return p * Float.intBitsToFloat(exponent);
  }

  /** Φ(x), the standard normal distribution function, given bell = exp(−x²/2). */
  static float normal(float x, float bell) {
    float t = 1f / Math.fma(Math.abs(x), P, 1f);
    float p = Math.fma(A5, t, A4);
    p = Math.fma(p, t, A3);
    p = Math.fma(p, t, A2);
    p = Math.fma(p, t, A1);
    float half = 0.5f - p * t * bell * 0.5f; // Φ(|x|) − ½
    int sign = Float.floatToRawIntBits(x) & 0x80000000;
    return Float.intBitsToFloat(Float.floatToRawIntBits(half) | sign) + 0.5f;
  }
}
