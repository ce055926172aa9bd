package org.mixtraining.report;

import java.util.List;
import java.util.Map;
import org.mixtraining.data.preview.Completions.Completion;

/**
 * Images for a report, as PNG: the tables hold none.
 *
 * @param samples those of {@link RunFacts#samples}, by task and id
 * @param noSamples why there are none, or empty
 * @param noCompletions why there are none, or empty
 */
public record Pictures(
    Map<String, Map<Long, byte[]>> samples,
    String noSamples,
    List<Completion> completions,
    String noCompletions) {}
