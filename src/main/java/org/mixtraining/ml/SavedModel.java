package org.mixtraining.ml;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.BiFunction;
import org.apache.hadoop.fs.Path;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.mixtraining.checkpoint.ModelFile;
import org.mixtraining.formats.TrainedModel;
import scala.Option;

/** An {@link ImageModel} in a directory: spark.ml's metadata, and {@code model.zip}. */
final class SavedModel {
  private static final String FILE = "model.zip";

  private SavedModel() {}

  /** Writes one. */
  static final class Writer extends MLWriter {
    private final ImageModel<?> stage;

    Writer(ImageModel<?> stage) {
      this.stage = stage;
    }

    @Override
    public void saveImpl(String directory) {
      DefaultParamsWriter.saveMetadata(stage, directory, sc(), Option.empty(), Option.empty());
      Path file = new Path(directory, FILE);
      try (var out = file.getFileSystem(sc().hadoopConfiguration()).create(file, false)) {
        out.write(stage.model().zip());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /**
   * Reads one.
   *
   * @param <M> its class
   */
  static final class Reader<M extends ImageModel<M>> extends MLReader<M> {
    private final Class<M> type;
    private final BiFunction<String, TrainedModel, M> make;

    /**
     * @param make it of an id and a model
     */
    Reader(Class<M> type, BiFunction<String, TrainedModel, M> make) {
      this.type = type;
      this.make = make;
    }

    @Override
    public M load(String directory) {
      var metadata = DefaultParamsReader.loadMetadata(directory, sc(), type.getName());
      String file = new Path(directory, FILE).toString();
      TrainedModel model = ModelFile.open(sc().hadoopConfiguration(), "model", file).model();
      M stage = make.apply(metadata.uid(), model);
      metadata.getAndSetParams(stage, Option.empty());
      return stage;
    }
  }
}
