package org.mixtraining.run;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.PreparedDataset;
import org.mixtraining.data.Split;
import org.mixtraining.train.Evaluation;
import org.mixtraining.train.Prediction;
import org.mixtraining.train.Predictor;
import org.mixtraining.train.Scores;

/**
 * One part of the images that a run evaluates its models on: every parts-th shard.
 *
 * @param guard of the minibatches, by which a task can end early
 */
public record HeldOutPart(
    TrainingData data, int part, int parts, UnaryOperator<Iterator<Minibatch>> guard) {

  /** Scores on both splits, without what they cost. */
  public EpochScores score(Predictor predictor) {
    return new EpochScores(score(predictor, Split.VALIDATION), score(predictor, Split.TEST), 0, 0);
  }

  private Scores score(Predictor predictor, Split split) {
    return tasks(split).stream()
        .map(
            task ->
                Scores.of(
                    task.task().name(),
                    Evaluation.run(predictor, task.head().name(), images(task, split))))
        .reduce(Scores.NONE, Scores::plus);
  }

  /** Predictions by task. */
  public Map<String, List<Prediction>> predict(Predictor predictor, Split split) {
    return tasks(split).stream()
        .collect(
            Collectors.toMap(
                task -> task.task().name(),
                task -> Prediction.of(predictor, task.head().name(), images(task, split))));
  }

  /** The predictions of all parts, in order of the images' ids. */
  public static SortedMap<String, List<Prediction>> join(
      List<Map<String, List<Prediction>>> parts) {
    SortedMap<String, List<Prediction>> all = new TreeMap<>();
    for (Map<String, List<Prediction>> part : parts) {
      part.forEach((task, own) -> all.computeIfAbsent(task, t -> new ArrayList<>()).addAll(own));
    }
    all.values().forEach(own -> own.sort(Comparator.comparingLong(Prediction::id)));
    return all;
  }

  private List<LabelledData> tasks(Split split) {
    double labelled = data.config().data().labelledFraction();
    return data.labelled().stream()
        .filter(task -> task.dataset().manifest().heldOutImages(split, labelled) > 0)
        .toList();
  }

  private Iterator<Minibatch> images(LabelledData task, Split split) {
    PreparedDataset dataset = task.dataset();
    double labelled = data.config().data().labelledFraction();
    return guard.apply(
        Minibatches.evaluation(
            dataset.heldOut(split, part, parts, labelled),
            dataset.manifest().normalization(),
            data.config().evaluation().crop(),
            data.config().scoredAtOnce()));
  }
}
