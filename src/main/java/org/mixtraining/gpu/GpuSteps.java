package org.mixtraining.gpu;

import java.util.ArrayList;
import java.util.List;
import org.mixtraining.config.UserException;
import org.mixtraining.gpu.StepContext.Shape;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.StepExecutor;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.vit.GraphSpec;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.Served;
import org.mixtraining.vit.StepResult;
import org.mixtraining.vit.ViT;

/**
 * Takes the steps of a replica's epochs on a GPU. Steps are only begun here: while one is computed,
 * the next minibatch is made; losses are fetched every {@link StepProgram#SLOTS} steps.
 */
public final class GpuSteps implements StepExecutor {

  /** A step whose losses are on the device. */
  private record Begun(int images, int labelled, Head head, ViT vit) {}

  private final Gpu gpu;
  private final Replica replica;
  private final GraphSpec spec;
  private final Arena arena;
  private final Parameters parameters;
  private final ResidentImages images;
  private final GraphCache<StepProgram> programs;
  private final List<Begun> begun = new ArrayList<>();
  private EpochPlan plan;
  private Memory metrics;

  /**
   * @param gpu which is closed with these steps
   */
  public GpuSteps(Gpu gpu, Replica replica) {
    this.gpu = gpu;
    this.replica = replica;
    this.spec = replica.spec();
    this.arena = new Arena(gpu);
    this.parameters = new Parameters(gpu, spec);
    this.images = new ResidentImages(gpu);
    this.programs = new GraphCache<>(gpu, arena);
  }

  @Override
  public void begin(EpochPlan plan, int steps) {
    if (plan.parts() > 1) {
      throw new UserException(
          "mixtraining.optimizer.accumulate = %s: a GPU takes a worker's part of a batch at once; set it to 1, or mixtraining.workers.device to cpu"
              .formatted(plan.parts()));
    }
    this.plan = plan;
    begun.clear();
    parameters.load(replica.state());
  }

  @Override
  public List<StepResult> take(TrainingBatch batch) {
    Head head = head(batch.head());
    int classes = head == null ? spec.vit().served().classes() : head.classes();
    ViT vit = spec.vit().serving(new Served(batch.imageSize(), classes, batch.maskRatio()));
    Shape shape = new Shape(vit, head, batch.images(), plan.clip() > 0);
    StepContext bench = StepContext.of(gpu, parameters, arena, spec, shape);
    var captured = programs.of(shape, () -> program(bench), StepProgram::run);
    Begun step = new Begun(batch.images(), batch.labelled(), head, vit);
    write(bench, batch, step);
    captured.graph().launch();
    metrics = captured.program().metrics();
    begun.add(step);
    return begun.size() == StepProgram.SLOTS ? results() : List.of();
  }

  /** The head that takes part in a step on a task's images; null in SSL. */
  private Head head(String task) {
    List<Head> heads = spec.heads();
    return heads.size() < 2
        ? heads.stream().findFirst().orElse(null)
        : heads.stream().filter(head -> head.name().equals(task)).findFirst().orElseThrow();
  }

  /** With the input that it reads, which a graph needs before it is captured. */
  private StepProgram program(StepContext bench) {
    StepProgram program = new StepProgram(bench);
    bench.pixels();
    bench.settings();
    bench.blockSettings();
    if (spec.masks()) {
      bench.mask();
    }
    if (spec.objective() != Objective.SSL) {
      bench.targets();
    }
    return program;
  }

  private void write(StepContext bench, TrainingBatch batch, Begun step) {
    StepInput.write(bench, gpu, images, batch, plan);
    var position = batch.position();
    double rate = plan.learningRate(position.step(), position.steps());
    gpu.write(bench.settings(), StepSettings.ofStep(begun.size(), plan, step.head, step.labelled));
    gpu.write(bench.blockSettings(), StepSettings.ofBlocks(spec, parameters, step.head, rate));
  }

  private List<StepResult> results() {
    if (begun.isEmpty()) {
      return List.of();
    }
    double[] sums = new double[StepProgram.SLOTS * StepProgram.METRICS];
    gpu.read(metrics, sums);
    List<StepResult> results = new ArrayList<>();
    for (int slot = 0; slot < begun.size(); slot++) {
      results.add(result(begun.get(slot), sums, slot * StepProgram.METRICS));
    }
    begun.clear();
    return results;
  }

  private StepResult result(Begun step, double[] sums, int at) {
    double ssl = sums[at] / DecoderProgram.hiddenValues(step.vit, step.images);
    double sl = sums[at + 1] / Math.max(1, step.labelled);
    int correct = (int) sums[at + 2];
    double weight = step.head == null ? 0 : (1 - plan.alpha()) * step.head.weight();
    return switch (spec.objective()) {
      case SSL -> new StepResult(plan.alpha() * ssl, ssl, Double.NaN, 0, 0);
      case SL -> new StepResult(weight * sl, Double.NaN, sl, correct, step.labelled);
      case JOINT ->
          new StepResult(plan.alpha() * ssl + weight * sl, ssl, sl, correct, step.labelled);
    };
  }

  @Override
  public List<StepResult> end() {
    List<StepResult> results = results();
    replica.load(parameters.state());
    images.endEpoch();
    return results;
  }

  @Override
  public void close() {
    try (gpu;
        parameters;
        arena;
        images;
        programs) {
      // Each is closed, the last first, even where another cannot be.
    }
  }
}
