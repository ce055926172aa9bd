package org.mixtraining.results;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Says in which table a record is a row, and what there is one row of. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@interface TableRow {
  String table();

  String oneRowPer();
}
