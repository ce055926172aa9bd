package org.mixtraining.reference;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.mixtraining.reference.ReferenceViT.Dimensions;

/** The layers of the model, written on a tape for one image at a time. */
final class Network {

  private static final double EPS = 1e-6;

  final Tape tape = new Tape();
  private final Dimensions d;
  private final Map<String, double[]> weights;
  private final Map<String, int[]> shapes;
  private final Map<String, Node> used = new LinkedHashMap<>();

  private double[][] branches; // null: all are 1

  Network(Dimensions d, Map<String, double[]> weights) {
    this.d = d;
    this.weights = weights;
    this.shapes = ReferenceViT.shapes(d);
  }

  /** Sets factors on the branches of encoder blocks for the next image, [block][attention, mlp]. */
  void weighBranches(double[][] factors) {
    branches = factors;
  }

  /** Gradients of {@code loss} for every tensor that has been used so far. */
  Map<String, double[]> gradients(Node loss) {
    tape.backward(loss);
    Map<String, double[]> gradients = new LinkedHashMap<>();
    used.forEach((name, node) -> gradients.put(name, node.gradient));
    return gradients;
  }

  /** The normed encoder tokens [1 + visible, dim]: class token, then patches in ascending order. */
  Node encode(double[] image, boolean[] visible) {
    int[] kept = kept(visible);
    Node patches = tape.gatherRows(patches(image), kept);
    int[] places = Arrays.stream(kept).map(patch -> patch + 1).toArray();
    Node positions = tape.gatherRows(positions(d.dim()), places);
    Node embedded = tape.add(linear(patches, "patch-embedding"), positions);
    return blocks(tape.concatRows(tensor("patch-embedding.cls"), embedded));
  }

  private Node blocks(Node tokens) {
    Node x = tokens;
    for (int i = 0; i < d.depth(); i++) {
      double[] weights = branches == null ? new double[] {1, 1} : branches[i];
      x = block(x, "encoder-" + i, d.heads(), weights[0], weights[1]);
    }
    return norm(x, "encoder-norm");
  }

  /**
   * The same of every position [1 + patches, dim], where hidden patches have been replaced by the
   * mask token.
   */
  Node encodeCorrupted(double[] image, boolean[] visible) {
    Node embedded = linear(patches(image), "patch-embedding");
    Node known = tape.concatRows(embedded, tensor("mask-token.token"));
    int[] sources =
        IntStream.range(0, visible.length).map(p -> visible[p] ? p : embedded.rows).toArray();
    int[] places = IntStream.rangeClosed(1, visible.length).toArray();
    Node tokens =
        tape.add(tape.gatherRows(known, sources), tape.gatherRows(positions(d.dim()), places));
    return blocks(tape.concatRows(tensor("patch-embedding.cls"), tokens));
  }

  /**
   * The sum over hidden patches of the mean squared error of a patch, [1, 1]. The encoder has seen
   * the visible patches or every position.
   */
  Node reconstructionError(Node encoded, double[] image, boolean[] visible) {
    Node seen = linear(encoded, "decoder-embedding");
    boolean everywhere = seen.rows == 1 + visible.length;
    Node known = tape.concatRows(seen, tensor("decoder-embedding.mask"));
    int[] sources = new int[1 + visible.length];
    double[] share = new double[visible.length];
    int next = 1;
    for (int patch = 0; patch < visible.length; patch++) {
      sources[1 + patch] = visible[patch] || everywhere ? next++ : seen.rows;
      share[patch] = visible[patch] ? 0 : 1.0 / d.patchLength();
    }
    Node x = tape.add(tape.gatherRows(known, sources), positions(d.decoderDim()));
    for (int i = 0; i < d.decoderDepth(); i++) {
      x = block(x, "decoder-" + i, d.decoderHeads(), 1, 1);
    }
    x = tape.matmul(norm(x, "pixels"), tensor("pixels.weight"));
    x = tape.add(x, tensor("pixels.projection-bias"));
    double[] pixels = patches(image).value;
    double[] target = d.normPix() ? Patches.normalized(pixels, d.patchLength()) : pixels;
    return Losses.weightedSquares(tape, tape.rows(x, 1, x.rows), target, share);
  }

  /** The cross-entropy of one image against its target distribution, [1, 1]. */
  Node classificationError(Node encoded, double[] target) {
    Node pooled =
        d.meanPooling()
            ? tape.meanOfRows(tape.rows(encoded, 1, encoded.rows))
            : tape.rows(encoded, 0, 1);
    return Losses.crossEntropy(tape, linear(pooled, "head"), target);
  }

  /**
   * A pre-norm block: x += a·proj(attention(norm1(x))), then x += b·fc2(gelu(fc1(norm2(x)))), where
   * a and b are 1 but under stochastic depth.
   */
  private Node block(Node x, String name, int heads, double a, double b) {
    Node qkv = linear(norm(x, name + ".norm1"), name + ".qkv");
    Node attended = linear(attention(qkv, heads), name + ".proj");
    Node middle = tape.add(x, tape.scale(attended, a));
    Node hidden = tape.gelu(linear(norm(middle, name + ".norm2"), name + ".fc1"));
    return tape.add(middle, tape.scale(linear(hidden, name + ".fc2"), b));
  }

  /** softmax(Q·Kᵀ/√headDim)·V by head; qkv[tokens, 3·dim] is q, k, v, each heads × headDim. */
  private Node attention(Node qkv, int heads) {
    int dim = qkv.cols / 3;
    int headDim = dim / heads;
    Node joined = null; // heads on top of each other, transposed
    for (int start = 0; start < dim; start += headDim) {
      Node q = tape.cols(qkv, start, start + headDim);
      Node k = tape.cols(qkv, dim + start, dim + start + headDim);
      Node v = tape.cols(qkv, 2 * dim + start, 2 * dim + start + headDim);
      Node scores = tape.scale(tape.matmul(q, tape.transpose(k)), 1 / Math.sqrt(headDim));
      Node head = tape.transpose(tape.matmul(tape.softmaxRows(scores), v));
      joined = joined == null ? head : tape.concatRows(joined, head);
    }
    return tape.transpose(joined);
  }

  private Node linear(Node x, String name) {
    return tape.add(tape.matmul(x, tensor(name + ".weight")), tensor(name + ".bias"));
  }

  private Node norm(Node x, String name) {
    return tape.layerNorm(x, tensor(name + ".gain"), tensor(name + ".bias"), EPS);
  }

  private Node patches(double[] image) {
    double[] patches = Patches.cut(image, d.channels(), d.imageSize(), d.patch());
    return new Node(d.patches(), d.patchLength(), patches);
  }

  private Node positions(int dim) {
    return new Node(1 + d.patches(), dim, SinCosPositions.table(dim, d.grid()));
  }

  private int[] kept(boolean[] visible) {
    if (visible.length != d.patches()) {
      throw new IllegalArgumentException(
          "a mask of " + visible.length + " patches for images of " + d.patches());
    }
    return IntStream.range(0, visible.length).filter(patch -> visible[patch]).toArray();
  }

  private Node tensor(String name) {
    return used.computeIfAbsent(name, this::leaf);
  }

  private Node leaf(String name) {
    int[] shape = shapes.get(name);
    double[] value = weights.get(name);
    int rows = shape.length == 1 ? 1 : shape[0];
    int cols = shape[shape.length - 1];
    if (value == null || value.length != rows * cols) {
      throw new IllegalArgumentException(
          "tensor %s: %s, expected %s values"
              .formatted(name, value == null ? "missing" : value.length + " values", rows * cols));
    }
    return new Node(rows, cols, value);
  }
}
