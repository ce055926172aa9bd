package org.mixtraining.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.mixtraining.train.EpochMetrics;

class ShardAssignmentTest {

  private static List<WorkerShare> took(double... seconds) {
    List<WorkerShare> shares = new ArrayList<>();
    for (int w = 0; w < seconds.length; w++) {
      var metrics = new EpochMetrics(60, new TreeMap<>(), 0, 1, 0, 0, 0, 0, 0, 0);
      var task = new TaskInfo("host", "" + w, "cpu", 1, 0, seconds[w], -1, 0);
      shares.add(new WorkerShare(w, metrics, task, 1.0 / seconds.length));
    }
    return shares;
  }

  private static List<Integer> counts(ShardAssignment assignment, int workers, int shards) {
    return IntStream.range(0, workers)
        .mapToObj(w -> assignment.shards(w, workers, shards).size())
        .toList();
  }

  @Test
  void equalWorkersGetEveryNthShard() {
    assertThat(ShardAssignment.EQUAL.shards(1, 3, 8)).containsExactly(1, 4, 7);
    assertThat(new ShardAssignment(List.of(2.0, 2.0, 2.0)).shards(2, 3, 8)).containsExactly(2, 5);
  }

  @Test
  void aWorkerOfTwiceTheSpeedGetsTwiceTheShards() {
    ShardAssignment assignment = ShardAssignment.EQUAL.after(took(1, 2), 12);

    assertThat(counts(assignment, 2, 12)).containsExactly(8, 4);
    assertThat(assignment.describe())
        .contains("the fastest worker is 2.00 times as fast as the slowest");
  }

  @Test
  void everyShardHasOneOwnerAndEveryWorkerAShard() {
    ShardAssignment assignment = new ShardAssignment(List.of(1000.0, 1.0, 1.0));

    List<Integer> all = new ArrayList<>();
    IntStream.range(0, 3).forEach(w -> all.addAll(assignment.shards(w, 3, 7)));
    assertThat(all).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6);
    assertThat(counts(assignment, 3, 7)).containsExactly(5, 1, 1);
  }

  /** As found by looking among all workers at every shard. */
  @Test
  void theNextShardGoesToTheWorkerThatIsDoneWithItFirst() {
    Random random = new Random(1);
    List<Double> speeds = random.doubles(50, 1, 3).map(Math::rint).boxed().toList();
    double[] held = new double[50];
    List<Integer> owners = new ArrayList<>();
    for (int shard = 0; shard < 700; shard++) {
      int first = shard;
      if (shard >= 50) {
        first = 0;
        for (int w = 1; w < 50; w++) {
          if ((held[w] + 1) / speeds.get(w) < (held[first] + 1) / speeds.get(first)) {
            first = w;
          }
        }
      }
      held[first]++;
      owners.add(first);
    }

    ShardAssignment assignment = new ShardAssignment(speeds);
    for (int w = 0; w < 50; w++) {
      int worker = w;
      assertThat(assignment.shards(w, 50, 700))
          .isEqualTo(IntStream.range(0, 700).filter(s -> owners.get(s) == worker).boxed().toList());
    }
  }

  @Test
  void shardsStayWhereMovingThemGainsLittle() {
    assertThat(ShardAssignment.EQUAL.after(took(1, 1.05), 40)).isSameAs(ShardAssignment.EQUAL);
    ShardAssignment known = new ShardAssignment(List.of(2.0, 1.0));
    assertThat(known.after(took(1, 1.9), 12)).isSameAs(known);
  }

  @Test
  void aWorkerWithoutImagesCountsAsOneOfMeanSpeed() {
    var idle =
        new WorkerShare(
            2, EpochMetrics.NONE, new TaskInfo("host", "2", "cpu", 1, 0, 0.1, -1, 0), 0);
    List<WorkerShare> shares = took(1, 4);
    shares.add(idle);

    assertThat(ShardAssignment.EQUAL.after(shares, 30).speeds()).containsExactly(60.0, 15.0, 37.5);
  }
}
