package org.mixtraining.results;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Declares a record as the row type of a table. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@interface TableRow {
  String table();

  String oneRowPer();
}
