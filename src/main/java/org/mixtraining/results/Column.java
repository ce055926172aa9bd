package org.mixtraining.results;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Declares a record component as a column, named as the component in snake_case. Boxed numbers and
 * booleans may be null; strings, enums and instants only where {@code nullable} says so.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface Column {
  /** The meaning of a value, and its unit. */
  String value();

  boolean nullable() default false;
}
