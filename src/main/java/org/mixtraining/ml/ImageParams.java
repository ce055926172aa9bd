package org.mixtraining.ml;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.param.Params;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.mixtraining.config.UserException;

/**
 * The params of a stage that reads a column of images: its name, the names of the columns that are
 * added, and {@code handleInvalid}. A column that is named "" is not added.
 */
final class ImageParams implements Serializable {
  private static final long serialVersionUID = 1L;

  /** What becomes of a row whose image cannot be used. */
  enum Invalid {
    /** Its columns are null, and errorCol says why. */
    KEEP,
    /** It is left out. */
    SKIP,
    /** The job fails with the reason. */
    ERROR;

    private String key() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Params owner;
  private final Param<String> image;
  private final Map<Param<String>, DataType> added = new LinkedHashMap<>();
  private final Param<String> handleInvalid;

  private ImageParams(Params owner, String image) {
    this.owner = owner;
    this.image =
        param(
            image,
            "image",
            "images: JPEG or PNG files as binary, struct<bytes, path>, or Spark's image schema");
    List<String> allowed = Arrays.stream(Invalid.values()).map(Invalid::key).toList();
    this.handleInvalid =
        new Param<>(
            owner,
            "handleInvalid",
            "what becomes of rows whose image cannot be used: keep (null, with the reason in errorCol), skip or error",
            ParamValidators.inArray(allowed));
    owner.setDefault(handleInvalid, Invalid.KEEP.key());
  }

  /** Of a stage that adds classes. */
  static ImageParams ofClasses(Params owner) {
    ImageParams params = new ImageParams(owner, "featuresCol");
    DataType vector = SQLDataTypes.VectorType();
    params.add("rawPredictionCol", "rawPrediction", "logarithms of the probabilities", vector);
    params.add("probabilityCol", "probability", "of every class, by index", vector);
    params.add("predictionCol", "prediction", "the most probable class", DataTypes.DoubleType);
    params.addError();
    return params;
  }

  /** Of a stage that adds features. */
  static ImageParams ofFeatures(Params owner) {
    ImageParams params = new ImageParams(owner, "inputCol");
    params.add("outputCol", "features", "of the encoder", SQLDataTypes.VectorType());
    params.addError();
    return params;
  }

  private void addError() {
    add("errorCol", "error", "why the image cannot be used; else null", DataTypes.StringType);
  }

  private void add(String name, String byDefault, String doc, DataType type) {
    added.put(param(name, byDefault, doc), type);
  }

  private Param<String> param(String name, String byDefault, String doc) {
    Param<String> param = new Param<>(owner, name, doc);
    owner.setDefault(param, byDefault);
    return param;
  }

  List<Param<?>> all() {
    List<Param<?>> all = new ArrayList<>(added.keySet());
    all.add(image);
    all.add(handleInvalid);
    return all;
  }

  Invalid invalid() {
    return Invalid.valueOf(owner.getOrDefault(handleInvalid).toUpperCase(Locale.ROOT));
  }

  /**
   * The column of the images.
   *
   * @throws UserException if there is none
   */
  ImageColumn column(StructType schema) {
    return ImageColumn.of(schema, image.name(), owner.getOrDefault(image));
  }

  /** Whether each column that could be added is. */
  List<Boolean> areAdded() {
    return added.keySet().stream().map(this::isAdded).toList();
  }

  private boolean isAdded(Param<String> param) {
    return !owner.getOrDefault(param).isEmpty();
  }

  /**
   * The columns of a table with those that are added.
   *
   * @throws UserException if it has no images, or has one of those already
   */
  StructType output(StructType schema) {
    column(schema);
    StructType all = schema;
    for (Map.Entry<Param<String>, DataType> column : added.entrySet()) {
      String name = owner.getOrDefault(column.getKey());
      if (Arrays.asList(all.fieldNames()).contains(name)) {
        throw new UserException(
            "%s = %s: there is such a column already; choose another name, or \"\" for none"
                .formatted(column.getKey().name(), name));
      }
      if (isAdded(column.getKey())) {
        all = all.add(name, column.getValue(), true);
      }
    }
    return all;
  }
}
