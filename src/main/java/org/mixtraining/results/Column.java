package org.mixtraining.results;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Makes a record component a column, named as the component in snake_case. Boxed numbers and
 * booleans may be null; strings, enums and instants only where {@code nullable} says so.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface Column {
  /** What a value means, and its unit. */
  String value();

  boolean nullable() default false;
}
