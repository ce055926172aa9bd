package org.mixtraining.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.Location;
import org.mixtraining.files.WholeFile;

/** The checkpoints and models of a run, under {@code <output>/checkpoints/<run>}. */
public final class Checkpoints {
  private static final String SUFFIX = ".safetensors";
  private static final Pattern EPOCH = Pattern.compile("epoch-\\d+" + Pattern.quote(SUFFIX));

  private final Path directory;
  private final Configuration conf;

  /** Models that are kept apart from the checkpoints. */
  public enum Model {
    /** Of the first epoch with the highest validation accuracy. */
    BEST,
    /** Of the last epoch. */
    FINAL
  }

  /** Of a run below an output directory, of any file system that Hadoop knows. */
  public Checkpoints(Configuration conf, String output, String runId) {
    this.directory = new Path(new Path(Location.path(output), "checkpoints"), runId);
    this.conf = conf;
  }

  /**
   * Locks the run for this process.
   *
   * @throws RunHeldException if another process is training it
   */
  public RunLock lock(Consumer<String> report) {
    return RunLock.acquire(new Path(directory, "LOCK"), conf, RunLock.Pace.USUAL, report);
  }

  /** Saves a checkpoint and deletes all but the newest {@code keep}. */
  public void save(Checkpoint checkpoint, int keep) {
    write(checkpoint, epoch(checkpoint.state().epochs()));
    tidy(keep);
  }

  /** Deletes all but the newest checkpoints, and temporary files of killed writers. */
  public void tidy(int keep) {
    epochs().stream().skip(keep).forEach(this::delete);
    list().stream()
        .map(FileStatus::getPath)
        .filter(file -> file.getName().startsWith(".") && file.getName().contains(SUFFIX))
        .forEach(this::delete);
  }

  /** Saves a model, replacing the one before. */
  public void save(Checkpoint checkpoint, Model model) {
    write(checkpoint.model(), file(model));
  }

  /**
   * A saved model, if there is one.
   *
   * @throws UncheckedIOException if it cannot be read
   */
  public Optional<Checkpoint> read(Model model) {
    Path file = file(model);
    try {
      return files().exists(file) ? Optional.of(read(file)) : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("%s: %s".formatted(file, e.getMessage()), e);
    }
  }

  /** The path of a saved model, if there is one. */
  public Optional<String> location(Model model) {
    try {
      Path file = file(model);
      return files().exists(file)
          ? Optional.of(files().makeQualified(file).toString())
          : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + directory, e);
    }
  }

  /** The path of the best model on validation, else of the final one, if any is saved. */
  public Optional<String> kept() {
    return Stream.of(Model.values())
        .filter(model -> location(model).isPresent())
        .map(model -> file(model).toString())
        .findFirst();
  }

  /**
   * The newest checkpoint that can be read.
   *
   * @param report told of every newer one that cannot
   */
  public Optional<Checkpoint> newest(Consumer<String> report) {
    for (Path file : epochs()) {
      try {
        return Optional.of(read(file));
      } catch (IOException e) {
        report.accept("skipped %s: %s".formatted(file, e.getMessage()));
      }
    }
    return Optional.empty();
  }

  /** Whether the run has any file but a lock. */
  public boolean exist() {
    return list().stream().anyMatch(file -> file.getPath().getName().endsWith(SUFFIX));
  }

  /** Deletes the run's files, except the lock. */
  public void delete() {
    list().stream()
        .map(FileStatus::getPath)
        .filter(file -> file.getName().contains(SUFFIX)) // hidden, half-written ones too
        .forEach(this::delete);
  }

  private Path epoch(int epochs) {
    return new Path(directory, String.format(Locale.ROOT, "epoch-%05d%s", epochs, SUFFIX));
  }

  private Path file(Model model) {
    return new Path(directory, KebabCase.of(model) + SUFFIX);
  }

  private List<Path> epochs() {
    return list().stream()
        .map(FileStatus::getPath)
        .filter(file -> EPOCH.matcher(file.getName()).matches())
        .sorted(Comparator.reverseOrder())
        .toList();
  }

  private List<FileStatus> list() {
    try {
      FileSystem files = files();
      return files.exists(directory) ? Arrays.asList(files.listStatus(directory)) : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + directory, e);
    }
  }

  private void write(Checkpoint checkpoint, Path file) {
    try {
      new WholeFile(file, conf)
          .write(
              out -> {
                checkpoint.write(out);
                out.hsync(); // a rename that outlives a power cut must not outlive its content
              });
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }

  private Checkpoint read(Path file) throws IOException {
    FileSystem files = files();
    try (InputStream in = files.open(file)) {
      return Checkpoint.read(in, files.getFileStatus(file).getLen());
    }
  }

  private void delete(Path file) {
    try {
      files().delete(file, false);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + file, e);
    }
  }

  private FileSystem files() throws IOException {
    return Location.fileSystem(directory, conf);
  }
}
