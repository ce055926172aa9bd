package org.mixtraining.ml;

import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.raise_error;
import static org.apache.spark.sql.functions.rint;
import static org.apache.spark.sql.functions.when;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructType;
import org.mixtraining.config.UserException;
import org.mixtraining.formats.TrainedModel;

/**
 * The training of a Vision Transformer by MixTraining as an estimator of spark.ml. {@code
 * featuresCol} holds images: JPEG or PNG files as binary, Hugging Face's {@code struct<bytes,
 * path>}, or Spark's image schema. {@code labelCol} holds class numbers from 0, or class names;
 * images whose label is null are seen by the self-supervised objectives alone.
 *
 * <p>Every key of the configuration that does not say which images to train on is a param of the
 * same name in camelCase: {@code optimizer.base-lr} is {@code optimizerBaseLr}. It wins over the
 * file that {@code conf} names.
 *
 * <p>A fit prepares the images below {@code runOutput}, on a file system that executors reach, and
 * deletes them when it is done; the run's tables and checkpoints stay, as those of the command
 * {@code train} do. Of the labelled images, {@code dataTest} and {@code dataValidation} are held
 * out, to score the run and to choose its best model.
 */
public final class MixTrainingClassifier extends Estimator<MixTrainingClassificationModel>
    implements ImageStage.OfClasses<MixTrainingClassifier>, DefaultParamsWritable {
  private static final long serialVersionUID = 1L;

  private final String uid;
  private final ImageParams images;
  private final Param<String> labelCol;
  private final Param<String> conf;
  private final ConfigParams keys;

  public MixTrainingClassifier() {
    this(Identifiable$.MODULE$.randomUID("mixtraining"));
  }

  /**
   * @param uid that no other stage has
   */
  public MixTrainingClassifier(String uid) {
    this.uid = uid;
    this.images = ImageParams.ofClasses(this);
    this.labelCol =
        new Param<>(this, "labelCol", "class numbers from 0, or class names; null: no label");
    this.conf = new Param<>(this, "conf", "a configuration file in HOCON, on the driver");
    this.keys = new ConfigParams(this);
    setDefault(labelCol, "label");
  }

  @Override
  public String uid() {
    return uid;
  }

  @Override
  public Param<?>[] params() {
    List<Param<?>> all = images.all();
    all.add(labelCol);
    all.add(conf);
    keys.all().forEach(all::add);
    return all.toArray(Param<?>[]::new);
  }

  @Override
  public MixTrainingClassifier copy(ParamMap extra) {
    return defaultCopy(extra);
  }

  // --- params ----------------------------------------------------------------------------------

  /** Names the column of labels. */
  public MixTrainingClassifier setLabelCol(String name) {
    return setting("labelCol", name);
  }

  /** Names a configuration file on the driver. */
  public MixTrainingClassifier setConf(String file) {
    return setting("conf", file);
  }

  /**
   * Sets a key of the configuration, as {@code -D key=value} does.
   *
   * @throws UserException if there is no such key
   */
  public MixTrainingClassifier setKey(String key, Object value) {
    set(key(key), String.valueOf(value));
    return this;
  }

  /**
   * The param of a key of the configuration, for a grid.
   *
   * @throws UserException if there is no such key
   */
  public Param<String> key(String key) {
    return keys.of(key);
  }

  // --- fitting ---------------------------------------------------------------------------------

  @Override
  public StructType transformSchema(StructType schema) {
    label(schema);
    return images.output(schema);
  }

  /**
   * Trains on the images.
   *
   * @throws UserException if the columns, the configuration or the images are bad
   */
  @Override
  public MixTrainingClassificationModel fit(Dataset<?> dataset) {
    StructType schema = dataset.schema();
    transformSchema(schema);
    Dataset<?> table =
        dataset.select(
            images.column(schema).huggingFace(schema).as("image"), label(schema).as("label"));
    Optional<Path> file = isSet(conf) ? Optional.of(Path.of(getOrDefault(conf))) : Optional.empty();
    TrainedModel trained = new Fit(file, keys.settings(this)).train(table.toDF());
    return copyValues(new MixTrainingClassificationModel(uid, trained), ParamMap.empty())
        .setParent(this);
  }

  /** The labels as bigint or string. */
  private Column label(StructType schema) {
    String name = getOrDefault(labelCol);
    DataType type = schema.fields()[ImageColumn.index(schema, labelCol.name(), name)].dataType();
    Column label = ImageColumn.named(name);
    if (type.equals(DataTypes.StringType)) {
      return label;
    }
    if (!(type instanceof NumericType)) {
      throw new UserException(
          "labelCol = %s: is a column of %s; accepted: numbers (classes from 0) or strings (their names), null for no label"
              .formatted(name, type.sql()));
    }
    Column number = label.cast(DataTypes.DoubleType);
    return when(label.isNull(), lit(null).cast(DataTypes.LongType))
        .when(number.geq(0).and(rint(number).equalTo(number)), label.cast(DataTypes.LongType))
        .otherwise(
            raise_error(
                    concat(
                        lit("labelCol = " + name + ": "),
                        number.cast(DataTypes.StringType),
                        lit(" is no class; accepted: whole numbers from 0, strings and null")))
                .cast(DataTypes.LongType));
  }

  // --- storing ---------------------------------------------------------------------------------

  /** Reads what {@link #write} wrote. */
  public static MLReader<MixTrainingClassifier> read() {
    return new DefaultParamsReader<>();
  }

  /** The estimator in a directory that it was saved to. */
  public static MixTrainingClassifier load(String directory) {
    return read().load(directory);
  }
}
