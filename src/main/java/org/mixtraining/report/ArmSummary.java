package org.mixtraining.report;

import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.mixtraining.report.ComparisonFacts.ArmResult;

/**
 * Summary of an arm over all settings.
 *
 * @param gain mean over settings
 * @param faster geometric mean
 */
record ArmSummary(
    String arm,
    long settings,
    Double gain,
    Double faster,
    Double fewer,
    long accurate,
    long ahead,
    long best) {

  static ArmSummary of(String arm, List<ArmResult> results) {
    return new ArmSummary(
        arm,
        results.size(),
        mean(results, ArmResult::gain),
        geometric(results, ArmResult::timesCheaper),
        geometric(results, ArmResult::timesFewerFlops),
        results.stream().filter(r -> r.gain() != null && r.gain() > 0).count(),
        results.stream().filter(r -> Boolean.TRUE.equals(r.ahead())).count(),
        results.stream().filter(r -> Boolean.TRUE.equals(r.pareto())).count());
  }

  private static Double geometric(List<ArmResult> results, Function<ArmResult, Double> value) {
    Double mean = mean(results, r -> value.apply(r) == null ? null : Math.log(value.apply(r)));
    return mean == null ? null : Math.exp(mean);
  }

  private static Double mean(List<ArmResult> results, Function<ArmResult, Double> value) {
    List<Double> known = results.stream().map(value).filter(Objects::nonNull).toList();
    return known.isEmpty()
        ? null
        : Double.valueOf(known.stream().mapToDouble(v -> v).average().orElseThrow());
  }
}
