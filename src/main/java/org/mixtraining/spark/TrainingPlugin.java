package org.mixtraining.spark;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.commons.lang3.concurrent.BasicThreadFactory;
import org.apache.spark.SparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.mixtraining.kernels.Accelerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Spark plugin that reports the progress of a training ({@code spark.plugins}). Every executor
 * shows an {@link ExecutorProgress} in its own metrics and sends it to the driver each second; the
 * driver shows those of all executors in its metrics, so that one scrape sees them all, and tells
 * {@linkplain #listen listeners}. A session that others have made may lack it: a run in it shows no
 * progress within an epoch.
 */
public final class TrainingPlugin implements SparkPlugin {
  private static final Logger LOG = LoggerFactory.getLogger(TrainingPlugin.class);

  /** Spark's configuration key of the time between two messages of an executor. */
  static final String EVERY = "spark.mixtraining.progress.interval";

  /** Static because Spark makes the plugin. */
  private static final Set<Consumer<ExecutorProgress>> LISTENERS = ConcurrentHashMap.newKeySet();

  /** Ends the listening. */
  @FunctionalInterface
  public interface Listening extends AutoCloseable {
    @Override
    void close();
  }

  /** Made by Spark in each process, before the first task. */
  public TrainingPlugin() {
    TaskSetup.beforeArrays();
  }

  /** Hears of the executors of this driver until it is closed. */
  public static Listening listen(Consumer<ExecutorProgress> listener) {
    LISTENERS.add(listener);
    return () -> LISTENERS.remove(listener);
  }

  @Override
  public DriverPlugin driverPlugin() {
    return new Driver();
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new Executor();
  }

  private static void show(
      MetricRegistry registry, String prefix, Supplier<ExecutorProgress> latest) {
    Map<String, Gauge<Number>> gauges =
        Map.of(
            "loss", () -> latest.get().loss(),
            "images_per_second", () -> latest.get().imagesPerSecond(),
            "wait_share", () -> latest.get().waitShare(),
            "peak_rss_bytes", () -> latest.get().peakRssBytes(),
            "off_heap_bytes", () -> latest.get().offHeapBytes());
    gauges.forEach((name, gauge) -> registry.register(prefix + name, gauge));
  }

  private static final class Executor implements ExecutorPlugin {
    private final ScheduledExecutorService clock =
        Executors.newSingleThreadScheduledExecutor(
            new BasicThreadFactory.Builder()
                .namingPattern("training-progress")
                .daemon(true)
                .build());
    private boolean idle = true;

    @Override
    public void init(PluginContext context, Map<String, String> extraConf) {
      bind(context);
      show(context.metricRegistry(), "", ExecutorProgress::here);
      long every = context.conf().getTimeAsMs(EVERY, "1s");
      clock.scheduleWithFixedDelay(() -> send(context), every, every, TimeUnit.MILLISECONDS);
    }

    /** A task that evaluates asks for no GPU, and could begin on another executor's. */
    private static void bind(PluginContext context) {
      ResourceInformation gpus = context.resources().get(WorkerDevices.GPU);
      if (gpus == null) {
        return;
      }
      try {
        Accelerator.installed()
            .filter(Accelerator::holdsEveryArray)
            .ifPresent(accelerator -> List.of(gpus.addresses()).forEach(accelerator::bind));
      } catch (RuntimeException e) { // Spark would restart the executor forever
        LOG.warn(
            "this executor's GPUs cannot be used; its first worker will fail with the same error",
            e);
      }
    }

    /** While workers train, and once more when they have ended. */
    private void send(PluginContext context) {
      try {
        ExecutorProgress now = ExecutorProgress.here();
        if (!now.workers().isEmpty() || !idle) {
          context.send(now);
        }
        idle = now.workers().isEmpty();
      } catch (Exception e) { // the timer would stop
        LOG.debug("cannot send the progress to the driver", e);
      }
    }

    @Override
    public void shutdown() {
      clock.shutdownNow();
    }
  }

  private static final class Driver implements DriverPlugin {
    private final Map<String, ExecutorProgress> latest = new ConcurrentHashMap<>();
    private final Set<String> lost = new HashSet<>();
    private MetricRegistry registry;

    @Override
    public Map<String, String> init(SparkContext spark, PluginContext context) {
      registry = context.metricRegistry();
      spark.addSparkListener(
          new SparkListener() {
            @Override
            public void onExecutorRemoved(SparkListenerExecutorRemoved lost) {
              forget(lost.executorId());
            }
          });
      return Map.of();
    }

    /** Spark takes up a registry that has a metric now, and then what is added to it later. */
    @Override
    public void registerMetrics(String appId, PluginContext context) {
      registry.<Gauge<Integer>>register("executors", latest::size);
    }

    private static String prefix(String executor) {
      return "executor." + executor + ".";
    }

    private synchronized void forget(String executor) {
      registry.removeMatching((name, metric) -> name.startsWith(prefix(executor)));
      latest.remove(executor);
      lost.add(executor);
    }

    /** What it has sent may come after its end is known. */
    private synchronized void note(ExecutorProgress now) {
      String id = now.executor();
      if (!lost.contains(id) && latest.put(id, now) == null) {
        show(registry, prefix(id), () -> latest.getOrDefault(id, now));
      }
    }

    @Override
    public Object receive(Object message) {
      ExecutorProgress now = (ExecutorProgress) message;
      note(now);
      LISTENERS.forEach(listener -> listener.accept(now));
      return null;
    }
  }
}
