package org.mixtraining.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.report.Browser.View;
import org.mixtraining.report.Browser.Visit;

/** Reports as a real browser shows them. */
@Tag("browser")
class BrowserTest {
  private static final List<View> VIEWS =
      List.of(
          new View("light", 1280, "light"),
          new View("dark", 1280, "dark"),
          new View("phone", 360, "light"));

  @TempDir static Path directory;
  @AutoClose private static Browser browser;

  @BeforeAll
  static void open() throws Exception {
    Optional<Path> program = Browser.installed();
    assumeTrue(program.isPresent(), "there is no Chromium on the PATH");
    browser = new Browser(program.get(), directory.resolve("profile"));
  }

  @Test
  void aRunIsShownWithoutComplaintAndWithoutAskingForAnything() throws Exception {
    check("run", RunReport.of(ReportFixtures.finished(10), ReportFixtures.pictures()));
  }

  @Test
  void soIsAComparison() throws Exception {
    check("comparison", ComparisonReport.of(ReportFixtures.comparison()));
  }

  private static void check(String name, Report report) throws Exception {
    Path file = Files.writeString(directory.resolve(name + ".html"), report.render());
    byte[] before = null;
    for (View view : VIEWS) {
      Visit visit = browser.visit(file, view);

      assertThat(visit.complaints()).as(view.name()).isEmpty();
      assertThat(visit.requests())
          .as(view.name())
          .isNotEmpty()
          .allMatch(url -> url.equals(file.toUri().toString()) || url.startsWith("data:"));
      assertThat(visit.width())
          .as("nothing sticks out of the page")
          .isLessThanOrEqualTo(view.width());
      assertThat(visit.screenshot()).as("each view looks otherwise").isNotEqualTo(before);
      before = visit.screenshot();
    }
  }
}
