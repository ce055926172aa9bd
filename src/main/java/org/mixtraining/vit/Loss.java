package org.mixtraining.vit;

/** Configuration of an output layer: its loss enters the graph's with a weight. */
abstract class Loss extends ViTLayer {
  private static final long serialVersionUID = 1L;

  private double weight = 1;

  /** For Jackson. */
  Loss() {}

  Loss(String name, ViT vit, Sight sight) {
    super(name, vit, sight);
  }

  double weight() {
    return weight;
  }

  /** Sets the factor on this loss: α or 1 − α in a JOINT graph. */
  void weight(double weight) {
    this.weight = weight;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other) && weight == ((Loss) other).weight;
  }

  @Override
  public int hashCode() {
    return super.hashCode();
  }
}
