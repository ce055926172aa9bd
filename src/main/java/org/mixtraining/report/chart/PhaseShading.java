package org.mixtraining.report.chart;

import static java.util.stream.Collectors.joining;

import java.util.ArrayList;
import java.util.List;
import org.mixtraining.results.EpochRow;
import org.mixtraining.schedule.Phase;

/** The phases of a run as shaded bands behind a chart; MIX is hatched. */
public record PhaseShading(List<PhaseShading.Band> bands) {

  /** Epochs of one phase, from the first to the last. */
  public record Band(Phase phase, int first, int last) {}

  public static PhaseShading of(List<EpochRow> epochs) {
    List<Band> bands = new ArrayList<>();
    for (EpochRow epoch : epochs) {
      int end = bands.size() - 1;
      if (end >= 0 && bands.get(end).phase == epoch.phase()) {
        bands.set(end, new Band(epoch.phase(), bands.get(end).first, epoch.epoch()));
      } else {
        bands.add(new Band(epoch.phase(), epoch.epoch(), epoch.epoch()));
      }
    }
    return new PhaseShading(bands);
  }

  /** As a sentence: {@code SSL in epochs 1 to 4, MIX in epochs 5 to 8}. */
  public String describe() {
    return bands.stream()
        .map(
            band ->
                band.first == band.last
                    ? "%s in epoch %s".formatted(band.phase, band.first)
                    : "%s in epochs %s to %s".formatted(band.phase, band.first, band.last))
        .collect(joining(", "));
  }

  Svg draw(Frame frame, Scale x) {
    Svg drawn = Svg.group("bands");
    for (Band band : bands) {
      double left = Math.max(frame.left(), x.at(band.first - 0.5));
      double width = Math.min(frame.right(), x.at(band.last + 0.5)) - left;
      double height = frame.bottom() - frame.top();
      drawn.with(
          Svg.rect("band " + style(band.phase), left, frame.top(), width, height)
              .titled("phase " + band.phase));
      if (band.phase == Phase.MIX) {
        drawn.with(Svg.rect("hatched", left, frame.top(), width, height));
      }
      if (width >= 24) {
        drawn.with(Svg.text("phase middle", left + width / 2, frame.top() - 6, band.phase.name()));
      }
    }
    return drawn;
  }

  /** The CSS class of a phase. */
  public static String style(Phase phase) {
    return switch (phase) {
      case SSL -> "ssl";
      case MIX -> "mix";
      case SL -> "sl";
    };
  }
}
