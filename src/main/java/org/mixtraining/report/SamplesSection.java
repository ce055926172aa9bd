package org.mixtraining.report;

import static j2html.TagCreator.div;
import static j2html.TagCreator.each;
import static j2html.TagCreator.li;
import static j2html.TagCreator.p;
import static j2html.TagCreator.ul;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.results.PredictionRow;

/** The section of sample predictions: test images with the model's answers. */
final class SamplesSection {
  private static final String TITLE = "Sample predictions";

  private SamplesSection() {}

  static Section of(RunFacts facts, Pictures pictures) {
    if (facts.samples().isEmpty()) {
      return Section.missing("samples", TITLE, ConfusionSection.missing(facts));
    }
    Map<String, List<PredictionRow>> tasks =
        facts.samples().stream()
            .collect(
                Collectors.groupingBy(
                    PredictionRow::task, LinkedHashMap::new, Collectors.toList()));
    List<DomContent> cards = new ArrayList<>();
    if (!pictures.noSamples().isEmpty()) {
      cards.add(p("Without their images: " + pictures.noSamples()).withClass("missing card"));
    }
    tasks.forEach(
        (task, rows) -> {
          String prefix = tasks.size() == 1 ? "" : task + ": ";
          Map<Long, byte[]> images = pictures.samples().getOrDefault(task, Map.of());
          PredictionRow any = rows.get(0);
          String model =
              "Test images and the predictions of the %s model, after epoch %s, with their probabilities."
                  .formatted(any.model(), any.epoch());
          cards.add(
              card(
                  prefix + "Right",
                  "Drawn at random, class by class in turn. " + model,
                  rows.stream().filter(SamplesSection::right).toList(),
                  images));
          cards.add(
              card(
                  prefix + "Wrong",
                  "The most confident mistakes.",
                  rows.stream().filter(row -> !right(row)).toList(),
                  images));
        });
    return new Section("samples", TITLE, cards, pictures.noSamples());
  }

  private static boolean right(PredictionRow row) {
    return row.label() == row.predicted();
  }

  private static DomContent card(
      String title, String message, List<PredictionRow> rows, Map<Long, byte[]> images) {
    return Card.of(
        title,
        rows.isEmpty() ? "There are none." : message,
        ul(each(rows, row -> sample(row, images.get(row.id())))).withClass("gallery"));
  }

  private static DomContent sample(PredictionRow row, byte[] png) {
    String verdict = right(row) ? "✓ " : "✗ ";
    return li(
            png == null
                ? div("no image").withClass("no-image")
                : Gallery.image(png, "test image %s, %s".formatted(row.id(), row.labelName())),
            div(verdict + row.predictedName()).withClass("answer"),
            div(Numbers.percent(row.probability()) + (right(row) ? "" : ", is " + row.labelName()))
                .withClass("truth"))
        .withClass(right(row) ? "right" : "wrong");
  }
}
