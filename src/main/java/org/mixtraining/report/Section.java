package org.mixtraining.report;

import static j2html.TagCreator.h2;
import static j2html.TagCreator.p;
import static j2html.TagCreator.section;

import j2html.tags.DomContent;
import java.util.List;

/**
 * A section of a report.
 *
 * @param id anchor for links
 * @param missing the reason why it is left out, or empty
 */
record Section(String id, String title, List<DomContent> content, String missing) {

  static Section of(String id, String title, DomContent... content) {
    return of(id, title, List.of(content));
  }

  static Section of(String id, String title, List<DomContent> content) {
    return new Section(id, title, content, "");
  }

  /** A section that is left out, with the reason. */
  static Section missing(String id, String title, String why) {
    return new Section(id, title, List.of(p(why).withClass("missing card")), why);
  }

  DomContent html() {
    return section(h2(title).withId(id + "-title"))
        .with(content)
        .withId(id)
        .attr("aria-labelledby", id + "-title");
  }
}
