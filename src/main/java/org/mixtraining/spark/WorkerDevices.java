package org.mixtraining.spark;

import java.io.Serializable;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ExecutorResourceRequests;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.kernels.Accelerator;
import org.mixtraining.kernels.Device;
import org.mixtraining.kernels.Processor;
import org.mixtraining.run.TrainingData;
import org.mixtraining.train.StepAccelerator;

/**
 * The devices of a run's workers, and the Spark settings that request them. The driver chooses;
 * tasks verify that they have what was chosen. Only the stages that train, and those that score a
 * model on GPUs that take whole steps, ask for GPUs, one a worker; everything else runs on any
 * executor.
 *
 * @param threads compute threads of a worker on the CPU
 * @param precision of matrix products, on the CPU bf16 or fp32
 * @param library that computes on GPUs; null on the CPU
 * @param reason why, for a person
 */
record WorkerDevices(Kind kind, int threads, Precision precision, Library library, String reason)
    implements Serializable {

  /**
   * A library that computes on GPUs, as driver and executors must both have it.
   *
   * @param name of its {@link Accelerator}
   * @param wholeSteps whether it takes whole training steps
   */
  record Library(String name, boolean wholeSteps) implements Serializable {

    /** That of this process. */
    static Optional<Library> installed() {
      return Accelerator.installed()
          .map(found -> new Library(found.name(), found instanceof StepAccelerator));
    }

    @Override
    public String toString() {
      return "%s (%s)".formatted(name, wholeSteps ? "whole steps" : "single operations");
    }
  }

  static final String AMOUNT = "spark.executor.resource.gpu.amount";
  static final String TASK_AMOUNT = "spark.task.resource.gpu.amount";

  /** Spark's resource name of GPUs. */
  static final String GPU = "gpu";

  static final String SCRIPT = "spark.executor.resource.gpu.discoveryScript";
  static final String VENDOR = "spark.executor.resource.gpu.vendor";
  private static final String DYNAMIC = "spark.dynamicAllocation.enabled";

  enum Kind {
    CPU,
    /** The GPUs of the executors that the run has. */
    GPU_OF_EXECUTOR,
    /** Those of executors that are started, by dynamic allocation, for the stages that train. */
    EXECUTOR_WITH_GPU
  }

  /** The devices of a run in a Spark session. */
  static WorkerDevices of(WorkersConfig workers, SparkConf conf) {
    return choose(workers, conf, Library.installed());
  }

  /**
   * The devices for a run that has been trained: GPUs unless it is to have none, or none are to be
   * had here, wherever it was trained.
   */
  static WorkerDevices ofTrained(WorkersConfig workers, SparkConf conf) {
    return choose(workers, conf, Library.installed(), false);
  }

  /**
   * The devices of a run.
   *
   * @param library of this build, if it has one
   * @throws UserException if a GPU is asked for where there is none to be had, or could wait for
   *     ever for executors that have one
   */
  static WorkerDevices choose(WorkersConfig workers, SparkConf conf, Optional<Library> library) {
    return choose(workers, conf, library, true);
  }

  /**
   * @param insists on a GPU that is asked for
   */
  static WorkerDevices choose(
      WorkersConfig workers, SparkConf conf, Optional<Library> library, boolean insists) {
    if (workers.device() == WorkersConfig.Device.CPU) {
      return onCpu(workers, "set by mixtraining.workers.device");
    }
    boolean required = workers.device() == WorkersConfig.Device.GPU;
    boolean given = conf.getInt(AMOUNT, 0) > 0;
    boolean started = required && conf.getBoolean(DYNAMIC, false);
    Optional<String> obstacle = obstacle(conf, library, given || started);
    if (obstacle.isPresent() && required && insists) {
      throw new UserException(
          "mixtraining.workers.device = gpu: %s; or set it to auto or cpu"
              .formatted(obstacle.get()));
    }
    if (obstacle.isPresent()) {
      return onCpu(workers, obstacle.get());
    }
    if (given && conf.getBoolean(DYNAMIC, false) && !eachTaskHasOne(conf)) {
      throw new UserException(
          "%s = true with %s = %s: needs %s = 1, as the launchers set it; without it Spark fails stages that request GPUs, or they wait for new executors while the present ones hold the GPUs; set it, turn dynamic allocation off, or set mixtraining.workers.device = cpu"
              .formatted(DYNAMIC, AMOUNT, conf.get(AMOUNT), TASK_AMOUNT));
    }
    return new WorkerDevices(
        given ? Kind.GPU_OF_EXECUTOR : Kind.EXECUTOR_WITH_GPU,
        workers.threadsPerWorker(),
        workers.precision().onGpu(),
        library.get(),
        given
            ? "%s = %s, and this build has %s"
                .formatted(AMOUNT, conf.get(AMOUNT), library.get().name())
            : "set by mixtraining.workers.device, and %s starts executors that have them"
                .formatted(DYNAMIC));
  }

  private static WorkerDevices onCpu(WorkersConfig workers, String reason) {
    return new WorkerDevices(
        Kind.CPU,
        workers.threadsPerWorker(),
        Processor.precision(workers.precision()),
        null,
        reason);
  }

  private static Optional<String> obstacle(
      SparkConf conf, Optional<Library> library, boolean toBeHad) {
    if (library.isEmpty()) {
      return Optional.of(
          "this build computes on the CPU only; build for GPUs with mvn package -Pgpu (A100, H100, B200 and on) or -Pcuda (up to Ada)");
    }
    String master = conf.get("spark.master", "local");
    if (master.startsWith("local") && !master.startsWith("local-cluster")) {
      return Optional.of(
          "spark.master = %s: Spark assigns GPUs on a cluster only".formatted(master));
    }
    return toBeHad
        ? Optional.empty()
        : Optional.of(
            "%s is not set, so Spark assigns no GPU; submit/standalone, submit/yarn and submit/kubernetes set it"
                .formatted(AMOUNT));
  }

  /** Whether every task of the session gets a GPU, whatever it does. */
  private static boolean eachTaskHasOne(SparkConf conf) {
    return conf.getDouble(TASK_AMOUNT, 0) == 1;
  }

  boolean gpus() {
    return kind != Kind.CPU;
  }

  /**
   * Whether a model is scored on the workers' GPUs, in float32, since they take whole steps; else
   * it is wherever there is a task slot.
   */
  boolean scoreModels() {
    return steps() == TrainingData.Steps.ON_DEVICE;
  }

  /**
   * Whether scoring runs on the executors that train: to compute there, or because others might
   * never be allocated beside them.
   */
  boolean scoreWhereTrained() {
    return scoreModels() || kind == Kind.EXECUTOR_WITH_GPU;
  }

  /** Where images are prepared: accelerators that take whole steps can do that too. */
  TrainingData.Steps steps() {
    return steps(library);
  }

  /** The same of workers that will have GPUs, or none. */
  static TrainingData.Steps steps(boolean gpus) {
    return steps(gpus ? Library.installed().orElse(null) : null);
  }

  private static TrainingData.Steps steps(Library library) {
    return library != null && library.wholeSteps
        ? TrainingData.Steps.ON_DEVICE
        : TrainingData.Steps.ON_CPU;
  }

  /**
   * The resources that stages on the workers' devices request from Spark; none where the session's
   * settings are enough: on the CPU, and if each of its tasks has a GPU.
   *
   * @param perExecutor workers of an executor that is started for them
   */
  Optional<ResourceProfile> profile(SparkContext spark, int perExecutor) {
    SparkConf conf = spark.getConf();
    if (!gpus() || (kind == Kind.GPU_OF_EXECUTOR && eachTaskHasOne(conf))) {
      return Optional.empty();
    }
    int cpus = conf.getInt("spark.task.cpus", 1);
    ResourceProfileBuilder profile =
        new ResourceProfileBuilder()
            .require(new TaskResourceRequests().cpus(cpus).resource(GPU, 1));
    if (kind == Kind.EXECUTOR_WITH_GPU) {
      profile.require(executor(conf, perExecutor, cpus));
    }
    ResourceProfile wanted = profile.build();
    // One for all runs of the session: another, though equal, would get executors of its own.
    return Optional.of(
        spark.resourceProfileManager().getEquivalentProfile(wanted).getOrElse(() -> wanted));
  }

  private static ExecutorResourceRequests executor(SparkConf conf, int workers, int taskCpus) {
    ExecutorResourceRequests executor =
        new ExecutorResourceRequests()
            .cores(conf.getInt("spark.executor.cores", workers * taskCpus))
            .memory(conf.get("spark.executor.memory", "1g"))
            .resource(GPU, workers, conf.get(SCRIPT, ""), conf.get(VENDOR, ""));
    return conf.contains(MemoryGiven.OVERHEAD)
        ? executor.memoryOverhead(conf.get(MemoryGiven.OVERHEAD))
        : executor;
  }

  /**
   * The device of the running task.
   *
   * @throws IllegalStateException if it is to have a GPU, and Spark has assigned it none
   * @throws UserException if the executor has not the library or the precision that was chosen
   */
  Device ofTask() {
    return gpus() ? gpuOfTask(precision) : Device.cpu(threads, precision);
  }

  /** The device of the running task, if it scores a model: to the digits of the CPU. */
  Device ofScoringTask() {
    return scoreModels()
        ? gpuOfTask(Precision.FP32)
        : Device.any(threads, gpus() ? Precision.FP32 : precision);
  }

  private Device gpuOfTask(Precision precision) {
    SparkEnv env = SparkEnv.get();
    verify(
        Library.installed(),
        "executor %s on %s"
            .formatted(env.executorId(), env.blockManager().blockManagerId().host()));
    ResourceInformation gpu = TaskContext.get().resourcesJMap().get(GPU);
    if (gpu == null || gpu.addresses().length == 0) {
      throw new IllegalStateException(
          "Spark has assigned no GPU to this task, which asked for one: " + reason);
    }
    return Device.gpu(gpu.addresses()[0], precision);
  }

  /** Checks that an executor has the library that the driver chose. */
  void verify(Optional<Library> here, String executor) {
    if (!here.equals(Optional.of(library))) {
      throw new UserException(
          "mixtraining.workers.device: the driver uses GPUs through %s, but %s has %s; give the driver and all executors the same mixtraining.jar, or set mixtraining.workers.device = cpu"
              .formatted(library, executor, here.map(Library::toString).orElse("no such library")));
    }
  }
}
