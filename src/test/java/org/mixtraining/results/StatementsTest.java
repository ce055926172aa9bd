package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StatementsTest {
  @Test
  void semicolonsSeparate() {
    assertThat(Statements.split("select 1; select 2 ;\n select 3"))
        .containsExactly("select 1", "select 2", "select 3");
  }

  @Test
  void marksAtTheBeginningOfFilesAreNoText() {
    assertThat(Statements.split("\uFEFFselect 1;\n\uFEFFselect '\uFEFF';\n\uFEFF"))
        .containsExactly("select 1", "select '\uFEFF'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select ';'",
        "select \";\"",
        "select 1 as `;`",
        "select 'it''s; so'",
        "select 'it\\'s; so'",
        "select \"a\\\";\"",
        "select 1 as `\\`, ';'",
        "select r'\\', ';'",
        "select R\"\\\", ';'",
        "select 1 -- not; here",
        "select 1 -- it's; here\n + 1",
        "select /* not; here */ 1",
        "select /* it's /* nested; */ still; */ 1",
        "select '--', '/*', 1",
        "select 'never ends; so",
        "select 1 /* never ends; so",
      })
  void semicolonsInQuotesAndCommentsDoNot(String statement) {
    assertThat(Statements.split(statement + "\n; select 2").get(0)).startsWith(statement);
    assertThat(Statements.split(statement)).containsExactly(statement);
  }

  @Test
  void whatFollowsAQuoteOrCommentIsSplitAgain() {
    assertThat(Statements.split("select 'a' ; -- one;\nselect \"b\"; /* two; */ select `c`;"))
        .containsExactly("select 'a'", "-- one;\nselect \"b\"", "/* two; */ select `c`");
    assertThat(Statements.split("select bar'\\'; select 2'"))
        .containsExactly("select bar'\\'; select 2'");
  }

  @Test
  void nothingButSpaceAndCommentsIsNoStatement() {
    for (String nothing :
        List.of("", " ;; \n;", "-- nothing; at all", "/* nothing; */ ; -- here")) {
      assertThat(Statements.split(nothing)).as(nothing).isEmpty();
    }
  }
}
