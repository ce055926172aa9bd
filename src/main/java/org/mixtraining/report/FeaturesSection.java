package org.mixtraining.report;

import org.mixtraining.config.KebabCase;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.results.FeatureRow;

/** The section about the quality of the frozen encoder's features. */
final class FeaturesSection {

  private FeaturesSection() {}

  static Section of(RunFacts facts) {
    if (facts.features().isEmpty()) {
      return Section.missing(
          "features",
          "Features",
          "The features of this run have not been evaluated; run: submit/mixtraining evaluate --run "
              + facts.run().runId());
    }
    return Section.of(
        "features",
        "Features",
        Card.of(
            "Classification of frozen features",
            "A linear probe and weighted nearest neighbours on the encoder's features, with the labels that the run used.",
            Grid.html(
                "Accuracy of frozen features",
                facts.features(),
                Grid.<FeatureRow>name("method", row -> KebabCase.of(row.method())),
                Grid.name("model", FeatureRow::model),
                Grid.name("task", FeatureRow::task),
                Grid.name("images", row -> KebabCase.of(row.split())),
                Grid.number("count", row -> Numbers.count(row.images())),
                Grid.number("trained on", row -> Numbers.count(row.trainingImages())),
                Grid.number("correct", row -> Numbers.percent(row.accuracy())))));
  }
}
