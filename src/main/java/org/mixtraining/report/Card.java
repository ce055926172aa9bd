package org.mixtraining.report;

import static j2html.TagCreator.article;
import static j2html.TagCreator.dd;
import static j2html.TagCreator.div;
import static j2html.TagCreator.dl;
import static j2html.TagCreator.dt;
import static j2html.TagCreator.each;
import static j2html.TagCreator.h3;
import static j2html.TagCreator.p;

import j2html.tags.DomContent;
import java.util.List;
import java.util.Map;

/** A card: content with a frame, a title and a sentence about it. */
final class Card {

  private Card() {}

  static DomContent of(String title, String message, DomContent... content) {
    return article(h3(title), message.isEmpty() ? null : p(message))
        .with(content)
        .withClass("card");
  }

  /** A list of names and values. */
  static DomContent facts(Map<String, String> facts) {
    return dl(each(facts, (name, fact) -> div(dt(name), dd(fact)))).withClass("facts");
  }

  /** Elements side by side if there is room. */
  static DomContent side(List<DomContent> things) {
    return side(things.toArray(DomContent[]::new));
  }

  static DomContent side(DomContent... things) {
    return div(things).withClass("side");
  }
}
