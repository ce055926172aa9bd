package org.mixtraining.config;

import java.math.BigDecimal;

/** Decimal numbers as text for people. */
public final class Decimals {

  private Decimals() {}

  /** All digits and no exponent, as {@code 0.0005}. */
  public static String plain(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
  }

  /** A digit before the point, as {@code 1.6384e16}. */
  public static String scientific(BigDecimal value) {
    int exponent = value.precision() - value.scale() - 1;
    return value.movePointLeft(exponent).stripTrailingZeros().toPlainString() + "e" + exponent;
  }
}
