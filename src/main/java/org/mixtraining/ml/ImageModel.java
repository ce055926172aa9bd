package org.mixtraining.ml;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.sources.Input;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.spark.ByBatches;
import org.mixtraining.spark.TaskDevice;
import org.mixtraining.train.Classifier;

/**
 * A trained model as a stage that adds columns to a table of images: in the tasks that read them, a
 * minibatch at a time, once rows are asked for.
 */
abstract class ImageModel<M extends ImageModel<M>> extends Model<M>
    implements ImageStage<M>, MLWritable {
  private static final long serialVersionUID = 1L;

  private final String uid;
  private final TrainedModel model;
  private ImageParams params;

  /** The subclass sets its params before anything else. */
  ImageModel(String uid, TrainedModel model) {
    this.uid = uid;
    this.model = model;
  }

  final void declare(ImageParams own) {
    this.params = own;
  }

  @Override
  public String uid() {
    return uid;
  }

  @Override
  public Param<?>[] params() {
    return params.all().toArray(Param<?>[]::new);
  }

  TrainedModel model() {
    return model;
  }

  /** The first task, which a fit has trained. */
  ModelCard.Task task() {
    return model.card().tasks().get(0);
  }

  /** Another of the same kind with the same model. */
  abstract M again(String id, TrainedModel same);

  @Override
  @SuppressWarnings("unchecked")
  public M copy(ParamMap extra) {
    M copy = copyValues(again(uid, model), extra);
    return (M) copy.setParent(parent());
  }

  @Override
  public MLWriter write() {
    return new SavedModel.Writer(this);
  }

  @Override
  public StructType transformSchema(StructType schema) {
    return params.output(schema);
  }

  /** What a minibatch of images is answered: of each, the values of all columns but the error. */
  interface Answers extends java.io.Serializable {
    List<Object[]> to(Classifier classifier, List<byte[]> images);
  }

  abstract Answers answers();

  @Override
  public Dataset<Row> transform(Dataset<?> dataset) {
    StructType schema = dataset.schema();
    StructType output = transformSchema(schema);
    var context = JavaSparkContext.fromSparkContext(dataset.sparkSession().sparkContext());
    var asking =
        new Asking(
            context.broadcast(model),
            task(),
            form(),
            params.column(schema),
            params.invalid(),
            params.areAdded(),
            answers());
    Dataset<Row> answered = dataset.toDF().mapPartitions(asking, Encoders.row(output));
    for (StructField field : schema.fields()) { // which encoders forget
      answered = answered.withMetadata(field.name(), field.metadata());
    }
    return answered;
  }

  private Input.Form form() {
    DataConfig defaults = JobConfig.load(Optional.empty(), List.of()).data();
    return new Input.Form(
        task().channels(), task().imageSize(), task().crop(), defaults.preparation().maxPixels());
  }

  /**
   * What a task does with its rows.
   *
   * @param added whether each of the columns, and last the error, is wanted
   */
  private record Asking(
      Broadcast<TrainedModel> model,
      ModelCard.Task task,
      Input.Form form,
      ImageColumn column,
      ImageParams.Invalid invalid,
      List<Boolean> added,
      Answers answers)
      implements MapPartitionsFunction<Row, Row> {

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
      Classifier classifier = new Classifier(model.value(), task, TaskDevice.forPrediction());
      return new ByBatches<>(rows, ByBatches.IMAGES, batch -> answer(classifier, batch));
    }

    private List<Row> answer(Classifier classifier, List<Row> rows) {
      List<Input> inputs = rows.stream().map(row -> column.input(row, form)).toList();
      List<byte[]> usable =
          inputs.stream().filter(input -> input.error() == null).map(Input::pixels).toList();
      Iterator<Object[]> said = answers.to(classifier, usable).iterator();
      List<Row> answered = new ArrayList<>();
      for (int i = 0; i < rows.size(); i++) {
        String error = inputs.get(i).error();
        if (error == null || invalid == ImageParams.Invalid.KEEP) {
          Object[] values = error == null ? said.next() : new Object[added.size() - 1];
          answered.add(row(rows.get(i), values, error));
        } else if (invalid == ImageParams.Invalid.ERROR) {
          throw new UserException(
              "%s: an image cannot be used: %s; handleInvalid = keep or skip allows that"
                  .formatted(column.name(), error));
        }
      }
      return answered;
    }

    private Row row(Row given, Object[] values, String error) {
      List<Object> all = new ArrayList<>();
      for (int i = 0; i < given.size(); i++) {
        all.add(given.get(i));
      }
      for (int i = 0; i < added.size(); i++) {
        if (added.get(i)) {
          all.add(i < values.length ? values[i] : error);
        }
      }
      return RowFactory.create(all.toArray());
    }
  }
}
