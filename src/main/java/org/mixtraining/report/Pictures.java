package org.mixtraining.report;

import java.util.List;
import java.util.Map;
import org.mixtraining.data.preview.Completions.Completion;

/**
 * Images for a report, as PNG, which the result tables do not contain.
 *
 * @param samples those of {@link RunFacts#samples}, by task and id
 * @param noSamples the reason why there are none, or empty
 * @param noCompletions the reason why there are none, or empty
 */
public record Pictures(
    Map<String, Map<Long, byte[]>> samples,
    String noSamples,
    List<Completion> completions,
    String noCompletions) {}
