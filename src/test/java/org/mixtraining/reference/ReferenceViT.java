package org.mixtraining.reference;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.mixtraining.config.MixConfig.MixPass;

/**
 * Losses and gradients of each training objective, in double precision and one image at a time.
 *
 * <p>Common to all objectives: {@code weights} by the names of {@link #shapes}; {@code images}
 * planar, [channels, size, size] each; {@code visible[image][patch]} says which patches the encoder
 * of a masked pass sees; {@code targets[image]} is a distribution over the classes, or all zero for
 * an image without a label.
 */
public final class ReferenceViT {

  /** Sizes of a model; an MLP is four times as wide as its block. */
  public record Dimensions(
      int imageSize,
      int channels,
      int patch,
      int dim,
      int depth,
      int heads,
      int decoderDim,
      int decoderDepth,
      int decoderHeads,
      int classes,
      boolean meanPooling,
      boolean normPix) {

    /** Patches per side. */
    public int grid() {
      return imageSize / patch;
    }

    /** Patches of an image. */
    public int patches() {
      return grid() * grid();
    }

    /** Values of a patch. */
    public int patchLength() {
      return channels * patch * patch;
    }
  }

  /**
   * What one step of an objective comes to.
   *
   * @param loss what is minimised
   * @param sslLoss the reconstruction part, unweighted (0 in {@code sl})
   * @param slLoss the classification part, unweighted (0 in {@code ssl})
   * @param gradients of {@code loss}, for exactly the tensors that the objective uses
   */
  public record Result(
      double loss, double sslLoss, double slLoss, Map<String, double[]> gradients) {}

  private ReferenceViT() {}

  /**
   * Masked autoencoding: mean over all hidden patches of the batch of the mean squared error of a
   * patch.
   */
  public static Result ssl(
      Dimensions d, Map<String, double[]> weights, double[][] images, boolean[][] visible) {
    Network network = new Network(d, weights);
    Node ssl = Node.zeros(1, 1);
    for (int i = 0; i < images.length; i++) {
      Node tokens = network.encode(images[i], visible[i]);
      ssl = network.tape.add(ssl, network.reconstructionError(tokens, images[i], visible[i]));
    }
    Node loss = average(network, ssl, hidden(visible));
    return new Result(loss.value[0], loss.value[0], 0, network.gradients(loss));
  }

  /** Classification: mean over labelled images of the cross-entropy; 0 if none has a label. */
  public static Result sl(
      Dimensions d, Map<String, double[]> weights, double[][] images, double[][] targets) {
    return sl(d, weights, images, targets, new double[images.length][][]);
  }

  /**
   * The same under stochastic depth.
   *
   * @param branches of each image the factors on the branches of encoder blocks, [block][attention,
   *     mlp]; null where all are 1
   */
  public static Result sl(
      Dimensions d,
      Map<String, double[]> weights,
      double[][] images,
      double[][] targets,
      double[][][] branches) {
    Network network = new Network(d, weights);
    Node sl = Node.zeros(1, 1);
    for (int i = 0; i < images.length; i++) {
      network.weighBranches(branches[i]);
      Node tokens = network.encode(images[i], everyPatch(d));
      sl = network.tape.add(sl, network.classificationError(tokens, targets[i]));
    }
    Node loss = average(network, sl, labelled(targets));
    return new Result(loss.value[0], 0, loss.value[0], network.gradients(loss));
  }

  /**
   * Both at once: alpha · ssl + (1 − alpha) · sl.
   *
   * @param pass whether the classifier pools the tokens of the masked pass, which sees the visible
   *     patches or a mask token in the place of each other, or those of a second, full pass
   */
  public static Result joint(
      Dimensions d,
      Map<String, double[]> weights,
      double[][] images,
      boolean[][] visible,
      double[][] targets,
      double alpha,
      MixPass pass) {
    double[][][] whole = new double[images.length][][];
    return joint(d, weights, images, visible, targets, alpha, pass, whole);
  }

  /** The same under stochastic depth, with {@code branches} as for {@link #sl}. */
  public static Result joint(
      Dimensions d,
      Map<String, double[]> weights,
      double[][] images,
      boolean[][] visible,
      double[][] targets,
      double alpha,
      MixPass pass,
      double[][][] branches) {
    Network network = new Network(d, weights);
    Tape tape = network.tape;
    Node ssl = Node.zeros(1, 1);
    Node sl = Node.zeros(1, 1);
    for (int i = 0; i < images.length; i++) {
      network.weighBranches(branches[i]);
      Node seen =
          pass == MixPass.CORRUPTED
              ? network.encodeCorrupted(images[i], visible[i])
              : network.encode(images[i], visible[i]);
      Node classified =
          switch (pass) {
            case VISIBLE, CORRUPTED -> seen;
            case TWO_PASS -> network.encode(images[i], everyPatch(d));
          };
      ssl = tape.add(ssl, network.reconstructionError(seen, images[i], visible[i]));
      sl = tape.add(sl, network.classificationError(classified, targets[i]));
    }
    ssl = average(network, ssl, hidden(visible));
    sl = average(network, sl, labelled(targets));
    Node loss = tape.add(tape.scale(ssl, alpha), tape.scale(sl, 1 - alpha));
    return new Result(loss.value[0], ssl.value[0], sl.value[0], network.gradients(loss));
  }

  private static Node average(Network network, Node sum, long count) {
    return network.tape.scale(sum, count == 0 ? 0 : 1.0 / count);
  }

  private static long hidden(boolean[][] visible) {
    long hidden = 0;
    for (boolean[] image : visible) {
      for (boolean patch : image) {
        hidden += patch ? 0 : 1;
      }
    }
    return hidden;
  }

  private static long labelled(double[][] targets) {
    return Arrays.stream(targets)
        .filter(target -> DoubleStream.of(target).anyMatch(share -> share != 0))
        .count();
  }

  private static boolean[] everyPatch(Dimensions d) {
    boolean[] all = new boolean[d.patches()];
    Arrays.fill(all, true);
    return all;
  }

  /** Every tensor of the model by name: [n] for a vector, [in, out] for a matrix. */
  public static Map<String, int[]> shapes(Dimensions d) {
    Map<String, int[]> shapes = new LinkedHashMap<>();
    linear(shapes, "patch-embedding", d.patchLength(), d.dim());
    shapes.put("patch-embedding.cls", new int[] {d.dim()});
    blocks(shapes, "encoder", d.depth(), d.dim());
    norm(shapes, "encoder-norm", d.dim());
    linear(shapes, "decoder-embedding", d.dim(), d.decoderDim());
    shapes.put("decoder-embedding.mask", new int[] {d.decoderDim()});
    blocks(shapes, "decoder", d.decoderDepth(), d.decoderDim());
    norm(shapes, "pixels", d.decoderDim());
    shapes.put("pixels.weight", new int[] {d.decoderDim(), d.patchLength()});
    shapes.put("pixels.projection-bias", new int[] {d.patchLength()});
    linear(shapes, "head", d.dim(), d.classes());
    shapes.put("mask-token.token", new int[] {d.dim()});
    return shapes;
  }

  private static void blocks(Map<String, int[]> shapes, String stack, int depth, int dim) {
    for (int i = 0; i < depth; i++) {
      String block = stack + "-" + i;
      norm(shapes, block + ".norm1", dim);
      linear(shapes, block + ".qkv", dim, 3 * dim);
      linear(shapes, block + ".proj", dim, dim);
      norm(shapes, block + ".norm2", dim);
      linear(shapes, block + ".fc1", dim, 4 * dim);
      linear(shapes, block + ".fc2", 4 * dim, dim);
    }
  }

  private static void linear(Map<String, int[]> shapes, String name, int in, int out) {
    shapes.put(name + ".weight", new int[] {in, out});
    shapes.put(name + ".bias", new int[] {out});
  }

  private static void norm(Map<String, int[]> shapes, String name, int dim) {
    shapes.put(name + ".gain", new int[] {dim});
    shapes.put(name + ".bias", new int[] {dim});
  }
}
