package org.mixtraining.results;

import java.util.ArrayList;
import java.util.List;
import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.CodePointCharStream;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.misc.Interval;
import org.apache.spark.sql.catalyst.parser.SqlBaseLexer;
import org.apache.spark.sql.catalyst.parser.UpperCaseCharStream;

/**
 * Splitter of SQL text into statements, at the semicolons outside quotes and comments, as Spark's
 * own lexer sees them.
 */
final class Statements {

  private Statements() {}

  /** The statements without their semicolons; those of only space and comments are left out. */
  static List<String> split(String sql) {
    // Files that were put together may each begin with a byte order mark.
    CodePointCharStream text = CharStreams.fromString(sql.replaceAll("(?m)^\uFEFF", ""));
    List<String> statements = new ArrayList<>();
    int start = 0;
    boolean empty = true;
    boolean open = false; // after a quote that never ends
    for (Token token : new SqlBaseLexer(new UpperCaseCharStream(text)).getAllTokens()) {
      open |= token.getType() == SqlBaseLexer.UNRECOGNIZED && "'\"`".contains(token.getText());
      if (token.getType() == SqlBaseLexer.SEMICOLON && !open) {
        add(statements, text, start, token.getStartIndex(), empty);
        start = token.getStopIndex() + 1;
        empty = true;
      } else {
        empty &= token.getChannel() != Token.DEFAULT_CHANNEL;
      }
    }
    add(statements, text, start, text.size(), empty);
    return statements;
  }

  private static void add(
      List<String> statements, CodePointCharStream text, int from, int to, boolean empty) {
    if (!empty) {
      statements.add(text.getText(Interval.of(from, to - 1)).strip());
    }
  }
}
