package org.mixtraining.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mixtraining.formats.DamagedFileException;
import org.mixtraining.formats.TensorFile;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.run.RunState;
import org.mixtraining.run.ShardAssignment;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Patience;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/**
 * The saved state of a run after an epoch.
 *
 * @param state parameters, moments and counters
 * @param progress accuracies and costs so far
 * @param configuration its canonical configuration
 * @param provenance versions of the software, and the dataset under {@code dataset.…}
 */
public record Checkpoint(
    RunState state, Progress progress, String configuration, SortedMap<String, String> provenance) {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int FORMAT = 1;
  private static final String MODEL = "model/";
  private static final String RESTING = "resting/";
  private static final String AVERAGING = "averaging/";
  private static final String PARAMETERS = "/parameters";
  private static final String FIRST_MOMENTS = "/m";
  private static final String SECOND_MOMENTS = "/v";
  private static final float[] NONE = {};

  /** The JSON header: everything that is not floats. */
  private record Header(
      int format,
      int epochs,
      SortedMap<String, Long> steps,
      SortedMap<Objective, SortedMap<String, Long>> resting, // null in files of older versions
      Patience patience,
      ShardAssignment deal, // null in files of older versions
      Progress progress,
      String configuration,
      SortedMap<String, String> provenance) {

    private boolean isWhole() {
      return epochs >= 0
          && isWhole(steps)
          && (resting == null || resting.values().stream().allMatch(Header::isWhole))
          && patience != null
          && progress != null
          && configuration != null
          && provenance != null;
    }

    private static boolean isWhole(SortedMap<String, Long> steps) {
      return steps != null && !steps.containsValue(null);
    }
  }

  /** The same without moments: the model to predict with. */
  Checkpoint model() {
    var bare =
        new RunState(
            state.epochs(),
            state.model().withoutMoments(),
            Collections.emptySortedMap(),
            new ModelState(Map.of()),
            state.patience(),
            state.assignment());
    return new Checkpoint(bare, progress, configuration, provenance);
  }

  void write(OutputStream out) throws IOException {
    SortedMap<String, Long> steps = new TreeMap<>();
    SortedMap<String, float[]> tensors = new TreeMap<>();
    state
        .model()
        .blocks()
        .forEach(
            (name, block) -> {
              steps.put(name, block.steps());
              tensors.put(MODEL + name + PARAMETERS, block.parameters());
              tensors.put(MODEL + name + FIRST_MOMENTS, block.m());
              tensors.put(MODEL + name + SECOND_MOMENTS, block.v());
            });
    SortedMap<Objective, SortedMap<String, Long>> resting = new TreeMap<>();
    state
        .resting()
        .forEach(
            (objective, moments) -> {
              SortedMap<String, Long> counts = new TreeMap<>();
              moments
                  .blocks()
                  .forEach(
                      (name, block) -> {
                        counts.put(name, block.steps());
                        String place = resting(objective, name);
                        tensors.put(place + FIRST_MOMENTS, block.m());
                        tensors.put(place + SECOND_MOMENTS, block.v());
                      });
              resting.put(objective, counts);
            });
    state
        .averaging()
        .blocks()
        .forEach((name, block) -> tensors.put(AVERAGING + name, block.parameters()));
    var header =
        new Header(
            FORMAT,
            state.epochs(),
            steps,
            resting,
            state.patience(),
            state.assignment(),
            progress,
            configuration,
            provenance);
    new TensorFile(JSON.writeValueAsString(header), tensors).write(out);
  }

  /**
   * @throws DamagedFileException if this is not what {@link #write} wrote
   */
  static Checkpoint read(InputStream in, long size) throws IOException {
    TensorFile file = TensorFile.read(in, size);
    Header header = header(file.text());
    SortedMap<String, Block> model = new TreeMap<>();
    for (Map.Entry<String, Long> block : header.steps().entrySet()) {
      String name = MODEL + block.getKey();
      model.put(
          block.getKey(),
          new Block(
              tensor(file, name + PARAMETERS),
              tensor(file, name + FIRST_MOMENTS),
              tensor(file, name + SECOND_MOMENTS),
              block.getValue()));
    }
    SortedMap<String, Block> averaging = new TreeMap<>();
    file.tensors()
        .forEach(
            (name, values) -> {
              if (name.startsWith(AVERAGING)) {
                averaging.put(name.substring(AVERAGING.length()), new Block(values, NONE, NONE, 0));
              }
            });
    return new Checkpoint(
        new RunState(
            header.epochs(),
            new ModelState(model),
            resting(file, header),
            new ModelState(averaging),
            header.patience(),
            header.deal() == null ? ShardAssignment.EQUAL : header.deal()),
        header.progress(),
        header.configuration(),
        header.provenance());
  }

  private static SortedMap<Objective, ModelState> resting(TensorFile file, Header header)
      throws DamagedFileException {
    SortedMap<Objective, ModelState> resting = new TreeMap<>();
    if (header.resting() == null) {
      return resting;
    }
    for (Map.Entry<Objective, SortedMap<String, Long>> counts : header.resting().entrySet()) {
      SortedMap<String, Block> blocks = new TreeMap<>();
      for (Map.Entry<String, Long> block : counts.getValue().entrySet()) {
        String place = resting(counts.getKey(), block.getKey());
        float[] m = tensor(file, place + FIRST_MOMENTS);
        float[] v = tensor(file, place + SECOND_MOMENTS);
        blocks.put(block.getKey(), new Block(NONE, m, v, block.getValue()));
      }
      resting.put(counts.getKey(), new ModelState(blocks));
    }
    return resting;
  }

  private static String resting(Objective objective, String block) {
    return RESTING + objective + "/" + block;
  }

  private static Header header(String text) throws DamagedFileException {
    Header header = null;
    try {
      header = JSON.readValue(text, Header.class);
    } catch (JsonProcessingException e) {
      // Reported as any other text that is none.
    }
    if (header == null || !header.isWhole()) {
      throw new DamagedFileException("it is not a checkpoint of this job");
    }
    if (header.format() != FORMAT) {
      throw new DamagedFileException(
          "it has format %s, and this version reads %s".formatted(header.format(), FORMAT));
    }
    return header;
  }

  private static float[] tensor(TensorFile file, String name) throws DamagedFileException {
    float[] values = file.tensors().get(name);
    if (values == null) {
      throw new DamagedFileException("it has no " + name);
    }
    return values;
  }
}
