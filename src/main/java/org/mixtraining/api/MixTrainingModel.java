package org.mixtraining.api;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.mixtraining.checkpoint.ModelFile;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.data.sources.Input;
import org.mixtraining.data.sources.Inputs;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.kernels.Device;
import org.mixtraining.spark.ByBatches;
import org.mixtraining.spark.ClusterPrediction;
import org.mixtraining.spark.TaskDevice;
import org.mixtraining.train.Classifier;
import scala.collection.JavaConverters;
import scala.collection.Seq;

/**
 * A trained model that classifies images: from a Java program, from Spark SQL, or all images under
 * a path. Images may be of any size and colour; the model crops, scales and normalises them as it
 * was trained to. It is immutable, and thread-safe.
 */
public final class MixTrainingModel {

  private static final StructType ANSWER =
      StructType.fromDDL(
          "predicted INT, predicted_name STRING, probability FLOAT, probabilities ARRAY<FLOAT>,"
              + " error STRING");

  private final TrainedModel model;
  private final ModelCard.Task task;
  private final Classifier classifier;
  private final Input.Form form;

  private MixTrainingModel(TrainedModel model, ModelCard.Task task) {
    this(model, task, Device.any(1, Precision.FP32));
  }

  private MixTrainingModel(TrainedModel model, ModelCard.Task task, Device device) {
    this.model = model;
    this.task = task;
    this.classifier = new Classifier(model, task, device);
    this.form = form(defaults().data());
  }

  // --- loading ---------------------------------------------------------------------------------

  /**
   * The model in a file: {@code best.safetensors}, {@code final.safetensors} or a checkpoint of a
   * run, or a zip that {@code export} wrote. Of a model with several tasks, its first.
   *
   * @param file a local path, or a URI of any file system that Hadoop knows
   * @throws UserException if there is none, or it is damaged
   */
  public static MixTrainingModel load(String file) {
    return load(new Configuration(), file);
  }

  /** The same, with a Hadoop configuration of one's own. */
  public static MixTrainingModel load(Configuration hadoop, String file) {
    return of(ModelFile.open(hadoop, "model", file).model());
  }

  /** A model that is in memory. */
  public static MixTrainingModel of(TrainedModel model) {
    return new MixTrainingModel(model, model.card().tasks().get(0));
  }

  /**
   * The same model for another of its tasks.
   *
   * @throws UserException if it has none of that name
   */
  public MixTrainingModel forTask(String name) {
    return new MixTrainingModel(model, model.task("task", name));
  }

  /** Names of the model's tasks; {@code main} if it has only one. */
  public List<String> tasks() {
    return model.card().tasks().stream().map(ModelCard.Task::name).toList();
  }

  /** Names of the task's classes by index. */
  public List<String> classes() {
    return task.classes();
  }

  // --- asking ----------------------------------------------------------------------------------

  /**
   * Classifies a JPEG or PNG file.
   *
   * @throws IOException if it cannot be read
   * @throws UserException if it is not an image, or damaged
   */
  public Classification predict(Path file) throws IOException {
    return predict(List.of(usable(form.decode(file.toString(), Files.readAllBytes(file))))).get(0);
  }

  /** Classifies an image. */
  public Classification predict(BufferedImage image) {
    return predict(List.of(form.picture("image", image).pixels())).get(0);
  }

  /**
   * Classifies each of the images.
   *
   * @param pixels uint8, [channels, size, size] each, of the shape that the task's images have
   */
  public List<Classification> predict(List<byte[]> pixels) {
    return Stream.of(classifier.probabilities(pixels)).map(this::classification).toList();
  }

  private Classification classification(float[] probabilities) {
    int best = Classifier.mostProbable(probabilities);
    List<Float> all = new ArrayList<>(probabilities.length);
    for (float probability : probabilities) {
      all.add(probability);
    }
    return new Classification(best, task.classes().get(best), probabilities[best], all);
  }

  private static byte[] usable(Input input) {
    if (input.error() != null) {
      throw new UserException("%s: %s".formatted(input.source(), input.error()));
    }
    return input.pixels();
  }

  // --- in Spark --------------------------------------------------------------------------------

  /**
   * A function of a binary column that holds JPEG and PNG files, such as {@code content} of Spark's
   * format binaryFile: {@code struct<predicted, predicted_name, probability, probabilities,
   * error>}. An image that cannot be used has nulls and the reason in {@code error}.
   */
  public UserDefinedFunction udf(SparkSession spark) {
    var context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    var asked = new Asked(context.broadcast(model), task);
    UDF1<byte[], Row> one = file -> asked.answers(Collections.singletonList(file)).get(0);
    return functions.udf(one, ANSWER);
  }

  /**
   * The same of an array of such files, which are classified together, in minibatches of {@value
   * ByBatches#IMAGES}: an array of answers in their order. As Spark calls a function for each row,
   * this is how SQL asks for several images at a time.
   */
  public UserDefinedFunction batchUdf(SparkSession spark) {
    var context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    var asked = new Asked(context.broadcast(model), task);
    UDF1<Seq<byte[]>, List<Row>> many =
        files -> files == null ? null : asked.answers(JavaConverters.seqAsJavaList(files));
    return functions.udf(many, DataTypes.createArrayType(ANSWER));
  }

  /** The model that a task's process has been sent, on the task's device. */
  private static final class Asked implements Serializable {
    private static final long serialVersionUID = 1L;

    private final Broadcast<TrainedModel> shared;
    private final ModelCard.Task task;
    private transient MixTrainingModel model;

    Asked(Broadcast<TrainedModel> shared, ModelCard.Task task) {
      this.shared = shared;
      this.task = task;
    }

    List<Row> answers(List<byte[]> files) {
      if (model == null) {
        model = new MixTrainingModel(shared.value(), task, TaskDevice.forPrediction());
      }
      List<Row> answers = new ArrayList<>(files.size());
      new ByBatches<>(files.iterator(), ByBatches.IMAGES, model::answers)
          .forEachRemaining(answers::add);
      return answers;
    }
  }

  private List<Row> answers(List<byte[]> files) {
    List<Input> inputs = files.stream().map(file -> form.decode("image", file)).toList();
    Iterator<Classification> said =
        predict(inputs.stream().filter(input -> input.error() == null).map(Input::pixels).toList())
            .iterator();
    return inputs.stream()
        .map(input -> row(input.error() == null ? said.next() : null, input.error()))
        .toList();
  }

  private static Row row(Classification said, String error) {
    return said == null
        ? RowFactory.create(null, null, null, null, error)
        : RowFactory.create(
            said.predicted(),
            said.name(),
            said.probability(),
            said.probabilities().toArray(Float[]::new),
            null);
  }

  /**
   * A row for every image under a path, as the command {@code predict} writes them: source, task,
   * predicted, predicted_name, probability, probabilities, error.
   *
   * @param path of whatever {@link Inputs} knows
   * @throws UserException if there is no image
   */
  public Dataset<Row> predict(SparkSession spark, String path) {
    return predict(spark, path, defaults().data());
  }

  /** The same, with limits of one's own on the images. */
  public Dataset<Row> predict(SparkSession spark, String path, DataConfig data) {
    var images = Inputs.read(spark, path, data, form(data)).images();
    return ClusterPrediction.of(spark, model, task, images, defaults().workers());
  }

  private Input.Form form(DataConfig data) {
    return new Input.Form(
        task.channels(), task.imageSize(), task.crop(), data.preparation().maxPixels());
  }

  private static JobConfig defaults() {
    return JobConfig.load(Optional.empty(), List.of());
  }
}
