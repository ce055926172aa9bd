package org.mixtraining.train;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.mixtraining.kernels.Device;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.layers.Compute;
import org.mixtraining.vit.state.ModelState;

/**
 * Replicas that outlive the task that made them, so that the next epoch finds its buffers allocated
 * and its code compiled. One pool per process; it is only a cache: a replica is loaded with the
 * epoch's state before each use.
 */
public final class ReplicaPool {

  private static final Map<Key, Deque<Lease>> IDLE = new HashMap<>();

  private ReplicaPool() {}

  /** What a replica is for; one that is idle for another configuration is freed. */
  public enum Purpose {
    TRAINING,
    EVALUATION,
    PREDICTION
  }

  private record Key(Purpose purpose, String configuration, Device device) {}

  /**
   * A replica of the given graph for this thread alone, until the lease is closed.
   *
   * @param configuration JSON of the graph's configuration
   * @param device what it computes on; the thread must be bound to it
   */
  public static Lease borrow(Purpose purpose, String configuration, Device device) {
    Key key = new Key(purpose, configuration, device);
    Lease lease;
    synchronized (IDLE) {
      IDLE.entrySet().removeIf(entry -> retire(entry.getKey(), key, entry.getValue()));
      Deque<Lease> idle = IDLE.get(key);
      lease = idle == null ? null : idle.pollFirst();
    }
    if (lease == null) {
      lease = new Lease(key);
    }
    lease.enter();
    return lease;
  }

  /**
   * Training buffers are large: those of a past objective make room for the device's present one.
   */
  private static boolean retire(Key idle, Key wanted, Deque<Lease> leases) {
    boolean elsewhere = !idle.device().name().equals(wanted.device().name());
    if (elsewhere || idle.purpose() != wanted.purpose() || idle.equals(wanted)) {
      return false;
    }
    leases.forEach(Lease::free);
    return true;
  }

  /** A replica and what it computes with, lent to one thread. */
  public static final class Lease implements AutoCloseable {
    private final Key key;
    private final Compute compute;
    private final Replica replica;
    private StepExecutor executor;
    private Predictor predictor;
    private Compute.Scope scope;
    private Object shown;
    private boolean done;

    private Lease(Key key) {
      this.key = key;
      this.compute = new Compute(key.device().engine());
      this.replica = new Replica(ComputationGraphConfiguration.fromJson(key.configuration()));
    }

    private void enter() {
      scope = compute.use();
    }

    /** The replica, in whatever state the last user left it. */
    public Replica replica() {
      return replica;
    }

    /** What takes the replica's steps on its device; it lasts as long as the replica. */
    public StepExecutor executor() {
      if (executor == null) {
        executor = StepExecutor.of(replica, key.device());
      }
      return executor;
    }

    /** What predicts by the replica's graph on its device; it lasts as long as the replica. */
    public Predictor predictor() {
      if (predictor == null) {
        predictor = Predictor.of(replica, key.device());
      }
      return predictor;
    }

    /** Loads the parameters of a model to predict with, unless they were the last ones loaded. */
    void show(ModelState model, Consumer<ModelState> load) {
      if (shown != model) {
        load.accept(model);
        shown = model;
      }
    }

    /** Its work has succeeded: at its close the replica goes back to the pool. */
    public void done() {
      done = true;
    }

    /**
     * A replica whose work has failed is freed: what broke in it or in its device may fail again.
     */
    @Override
    public void close() {
      scope.close();
      if (!done) {
        free();
        return;
      }
      done = false;
      synchronized (IDLE) {
        IDLE.computeIfAbsent(key, k -> new ArrayDeque<>()).addFirst(this);
      }
    }

    private void free() {
      if (executor != null) {
        executor.close();
      }
      if (predictor != null) {
        predictor.close();
      }
      replica.close();
      compute.close();
    }
  }
}
