package org.mixtraining.report;

import static j2html.TagCreator.a;
import static j2html.TagCreator.body;
import static j2html.TagCreator.document;
import static j2html.TagCreator.each;
import static j2html.TagCreator.footer;
import static j2html.TagCreator.head;
import static j2html.TagCreator.header;
import static j2html.TagCreator.html;
import static j2html.TagCreator.li;
import static j2html.TagCreator.link;
import static j2html.TagCreator.main;
import static j2html.TagCreator.meta;
import static j2html.TagCreator.nav;
import static j2html.TagCreator.p;
import static j2html.TagCreator.rawHtml;
import static j2html.TagCreator.style;
import static j2html.TagCreator.ul;

import j2html.tags.DomContent;
import java.util.List;
import org.mixtraining.config.Text;
import org.mixtraining.report.chart.Textures;

/**
 * A report that renders as one self-contained HTML file: no scripts, embedded style sheet and
 * images, and a content security policy that lets a browser load nothing else.
 *
 * @param opening the header of the report
 */
public record Report(String title, List<DomContent> opening, List<Section> sections) {
  private static final String POLICY =
      "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";

  /**
   * A section that is left out.
   *
   * @param why the missing data
   */
  public record Omission(String section, String why) {}

  /** The sections that are left out, with the reasons. */
  public List<Omission> omissions() {
    return sections.stream()
        .filter(section -> !section.missing().isEmpty())
        .map(section -> new Omission(section.id(), section.missing()))
        .toList();
  }

  /** Ids of all its sections, in order. */
  public List<String> sectionIds() {
    return sections.stream().map(Section::id).toList();
  }

  /** The file's text. */
  public String render() {
    return document(
        html(
                head(
                    meta().withCharset("utf-8"),
                    meta().attr("http-equiv", "Content-Security-Policy").attr("content", POLICY),
                    meta().withName("viewport").withContent("width=device-width, initial-scale=1"),
                    meta().withName("color-scheme").withContent("light dark"),
                    meta().withName("referrer").withContent("no-referrer"),
                    j2html.TagCreator.title(title),
                    link().withRel("icon").withHref("data:,"),
                    style().with(rawHtml(Text.resource(Report.class, "report.css")))),
                body(
                    a("Skip to content").withHref("#content").withClass("skip"),
                    Textures.definitions(),
                    header().with(opening),
                    nav(ul(
                            each(
                                sections,
                                section -> li(a(section.title()).withHref("#" + section.id())))))
                        .attr("aria-label", "Sections of the report"),
                    main(each(sections, Section::html)).withId("content"),
                    footer(
                        p(
                            "Made by MixTraining on Spark from the result tables. This file is self-contained."))))
            .withLang("en"));
  }
}
