package org.mixtraining.run;

import java.io.Serializable;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.stream.IntStream;

/**
 * The assignment of image shards to workers, by which all of them are done at about the same time.
 * It is part of a run's state, since the bits of the next epoch depend on it.
 *
 * @param speeds of the workers, in images a second; empty where all count as the same
 */
public record ShardAssignment(List<Double> speeds) implements Serializable {

  /** The assignment before any speed is measured: all workers count as equally fast. */
  public static final ShardAssignment EQUAL = new ShardAssignment(List.of());

  /** Shards move only if that shortens an epoch to this share: their images must be read again. */
  private static final double WORTHWHILE = 0.9;

  public ShardAssignment {
    speeds = List.copyOf(speeds);
  }

  /**
   * The shards of a worker: at least one; with equal speeds, every W-th.
   *
   * @param shards of the dataset, at least as many as workers
   */
  public List<Integer> shards(int worker, int workers, int shards) {
    int[] owners = owners(workers, shards);
    return IntStream.range(0, shards).filter(s -> owners[s] == worker).boxed().toList();
  }

  /** Each worker has one; every other one goes to the worker that would be done with it first. */
  private int[] owners(int workers, int shards) {
    int[] owners = new int[shards];
    Queue<Load> next = new PriorityQueue<>(FIRST_DONE);
    for (int shard = 0; shard < shards; shard++) {
      Load load = shard < workers ? new Load(shard, 0, speed(shard)) : next.remove();
      owners[shard] = load.worker;
      next.add(new Load(load.worker, load.held + 1, load.speed));
    }
    return owners;
  }

  /** A worker with so many shards. */
  private record Load(int worker, int held, double speed) {
    double withOneMore() {
      return (held + 1) / speed;
    }
  }

  private static final Comparator<Load> FIRST_DONE =
      Comparator.comparingDouble(Load::withOneMore).thenComparingInt(Load::worker);

  private double speed(int worker) {
    return speeds.isEmpty() ? 1 : speeds.get(worker);
  }

  /**
   * The assignment after an epoch: by the speeds that were measured in it, if that is worth moving
   * shards.
   *
   * @param shares in worker order
   * @param shards of the dataset
   */
  public ShardAssignment after(List<WorkerShare> shares, int shards) {
    List<Double> measured = shares.stream().map(ShardAssignment::speed).toList();
    double mean =
        measured.stream().filter(speed -> speed > 0).mapToDouble(s -> s).average().orElse(1);
    ShardAssignment other =
        new ShardAssignment(measured.stream().map(speed -> speed > 0 ? speed : mean).toList());
    return other.longest(this, shards) * WORTHWHILE > other.longest(other, shards) ? other : this;
  }

  private static double speed(WorkerShare share) {
    return share.metrics().images() / share.task().seconds();
  }

  /** How long, at these speeds, the last worker would take for its assigned shards, in shards. */
  private double longest(ShardAssignment assignment, int shards) {
    int[] held = new int[speeds.size()];
    for (int owner : assignment.owners(held.length, shards)) {
      held[owner]++;
    }
    return IntStream.range(0, held.length).mapToDouble(w -> held[w] / speed(w)).max().orElse(0);
  }

  /** A line for logs: how much faster the fastest worker is than the slowest. */
  public String describe() {
    return speeds.isEmpty()
        ? "shards are assigned evenly"
        : String.format(
            Locale.ROOT,
            "shards are assigned by speed: the fastest worker is %.2f times as fast as the slowest",
            Collections.max(speeds) / Collections.min(speeds));
  }
}
