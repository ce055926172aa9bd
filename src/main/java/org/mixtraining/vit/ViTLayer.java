package org.mixtraining.vit;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.commons.lang3.builder.EqualsBuilder;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.memory.LayerMemoryReport;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.layers.PackedParameters;
import org.mixtraining.vit.layers.TokenLayer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;

/**
 * Configuration that the layers of a ViT share: the model's dimensions, and which of its tokens
 * pass through this layer. It survives Deeplearning4j's JSON round trip.
 */
@JsonAutoDetect(
    fieldVisibility = JsonAutoDetect.Visibility.ANY,
    getterVisibility = JsonAutoDetect.Visibility.NONE,
    isGetterVisibility = JsonAutoDetect.Visibility.NONE)
public abstract class ViTLayer extends BaseLayer {
  private static final long serialVersionUID = 1L;

  private ViT vit;
  private EncoderInput sight; // its name in the JSON of checkpoints

  /** For Jackson. */
  protected ViTLayer() {}

  ViTLayer(String name, ViT vit, EncoderInput encoderInput) {
    setLayerName(name);
    this.vit = vit;
    this.sight = encoderInput;
  }

  /** The model, as it is where no {@link PassContext} says otherwise. */
  public ViT vit() {
    return vit;
  }

  public EncoderInput encoderInput() {
    return sight;
  }

  /** The head that this layer is, if it is one. */
  List<Head> tasks() {
    return List.of();
  }

  /** The layer's parameters. */
  public ModelSpec.Layer parameters() {
    return ModelSpec.of(vit, tasks()).layer(getLayerName());
  }

  /** The layer itself, without parameters yet. */
  abstract TokenLayer<?> instantiate(NeuralNetConfiguration conf, DataType dataType);

  @Override
  public org.deeplearning4j.nn.api.Layer instantiate(
      NeuralNetConfiguration conf,
      Collection<TrainingListener> listeners,
      int index,
      INDArray paramsView,
      boolean initializeParams,
      DataType dataType) {
    TokenLayer<?> layer = instantiate(conf, dataType);
    layer.setListeners(listeners);
    layer.setIndex(index);
    layer.setParamsViewArray(paramsView);
    Map<String, INDArray> table = initializer().init(conf, paramsView, initializeParams);
    layer.setParamTable(table);
    layer.setConf(conf);
    return layer;
  }

  @Override
  public ParamInitializer initializer() {
    return PackedParameters.INSTANCE;
  }

  /** Sets the optimizer of this layer, an AdamW that knows its block, and its weights' decay. */
  void optimize(IUpdater updater, Regularization weightDecay) {
    setIUpdater(updater);
    setRegularization(List.of(weightDecay));
  }

  @Override
  public IUpdater getUpdaterByParam(String paramName) {
    return getIUpdater();
  }

  @Override
  public List<Regularization> getRegularizationByParam(String paramName) {
    return paramName.equals(PackedParameters.WEIGHTS) ? getRegularization() : List.of();
  }

  @Override
  public boolean isPretrainParam(String paramName) {
    return false;
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    return inputType;
  }

  @Override
  public void setNIn(InputType inputType, boolean override) {
    // The dimensions are part of the configuration.
  }

  @Override
  public InputPreProcessor getPreProcessorForInputType(InputType inputType) {
    return null;
  }

  @Override
  public LayerMemoryReport getMemoryReport(InputType inputType) {
    return null;
  }

  /** A copy with an updater of its own, so that a graph's {@code setLearningRate} is its own. */
  @Override
  public ViTLayer clone() {
    ViTLayer copy = (ViTLayer) super.clone();
    copy.setIUpdater(getIUpdater().clone());
    return copy;
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || (other != null
            && other.getClass() == getClass()
            && super.equals(other)
            && EqualsBuilder.reflectionEquals(this, other, false, ViTLayer.class));
  }

  @Override
  public int hashCode() {
    return 31 * super.hashCode() + vit.hashCode();
  }
}
