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
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.mixtraining.report.chart.Textures;

/**
 * A report, ready to be rendered as one HTML file that asks for nothing outside itself: no script,
 * the style sheet and the images within, and a content policy that lets a browser load nothing
 * else.
 */
public final class Report {
  private static final String POLICY =
      "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";

  private final String title;
  private final List<DomContent> opening;
  private final List<Section> sections;

  /**
   * @param opening what the report begins with
   */
  Report(String title, List<DomContent> opening, List<Section> sections) {
    this.title = title;
    this.opening = opening;
    this.sections = sections;
  }

  /**
   * A part that there is nothing for.
   *
   * @param why what would have to be there
   */
  public record Omission(String section, String why) {}

  /** Parts that the report has only a reason for. */
  public List<Omission> omissions() {
    return sections.stream()
        .filter(section -> !section.missing().isEmpty())
        .map(section -> new Omission(section.id(), section.missing()))
        .toList();
  }

  /** Ids of all its parts, in order. */
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
                    style().with(rawHtml(styleSheet()))),
                body(
                    a("To the content").withHref("#content").withClass("skip"),
                    Textures.definitions(),
                    header().with(opening),
                    nav(ul(
                            each(
                                sections,
                                section -> li(a(section.title()).withHref("#" + section.id())))))
                        .attr("aria-label", "Parts of the report"),
                    main(each(sections, Section::html)).withId("content"),
                    footer(
                        p(
                            "Made by MixTraining on Spark from the result tables. This file is complete in itself."))))
            .withLang("en"));
  }

  private static String styleSheet() {
    try (InputStream in = Report.class.getResourceAsStream("report.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
