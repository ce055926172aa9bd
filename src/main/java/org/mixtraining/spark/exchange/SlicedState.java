package org.mixtraining.spark.exchange;

import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.storage.BlockManagerId;
import org.mixtraining.vit.state.ModelState;

/**
 * A state whose slices lie in the executors' block managers, each in one of them.
 *
 * @param rdd whose blocks the slices are
 * @param slices where they are
 */
record SlicedState(JavaRDD<?> rdd, Slices slices) implements StateExchange.Held {

  /**
   * The slices of a state.
   *
   * @param steps the state's step counts, without values
   * @param rdd id of the RDD whose blocks they are, slice s being block s
   * @param places where each slice is
   */
  record Slices(SliceLayout layout, ModelState steps, int rdd, List<BlockManagerId> places)
      implements StateExchange.Reader {

    /** States that tasks of this process are reading or still hold. */
    private static final Map<String, WeakReference<ModelState>> READ = new HashMap<>();

    /** One for all tasks of the process: the first reads it, and the others wait for it. */
    @Override
    public ModelState read() {
      String name = SparkEnv.get().conf().getAppId() + " " + rdd;
      synchronized (READ) {
        READ.values().removeIf(known -> known.get() == null);
        WeakReference<ModelState> known = READ.get(name);
        ModelState state = known == null ? null : known.get();
        if (state == null) {
          state = fetch();
          READ.put(name, new WeakReference<>(state));
        }
        return state;
      }
    }

    private ModelState fetch() {
      ModelState state = layout.blank(steps);
      ExecutorBlocks.read(
          IntStream.range(0, layout.count())
              .mapToObj(s -> new ExecutorBlocks.Address(places.get(s), rdd, s))
              .toList(),
          (s, bytes) -> layout.paste(bytes, s, state));
      return state;
    }
  }

  SliceLayout layout() {
    return slices.layout;
  }

  ModelState steps() {
    return slices.steps;
  }

  @Override
  public StateExchange.Reader reader() {
    return slices;
  }

  @Override
  public ModelState state() {
    return slices.fetch();
  }

  @Override
  public void release() {
    rdd.unpersist(false);
  }
}
