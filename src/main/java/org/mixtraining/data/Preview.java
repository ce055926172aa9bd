package org.mixtraining.data;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.Augment;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ContactSheet.Cell;
import org.mixtraining.data.ContactSheet.Column;
import org.mixtraining.data.ContactSheet.Group;
import org.mixtraining.data.augment.MixupCutmix;

/**
 * A picture of some training images of a prepared dataset, and of what SSL epochs and then SL
 * epochs make of them: the pixels and labels that a run of the same configuration trains on, except
 * that mixup and cutmix find their partners among the images shown.
 */
public final class Preview {
  private static final int ROWS = 8;
  private static final int EPOCHS = 4;

  /** About so many images are read, to choose some of different classes. */
  private static final int CHOICE = 64;

  private final JobConfig config;
  private final PngFile file;

  /**
   * @param file the PNG to write
   * @throws UserException if its directory does not exist
   */
  public Preview(JobConfig config, Path file) {
    this.config = config;
    this.file = new PngFile("--preview", file);
  }

  /**
   * Writes it.
   *
   * @throws UserException if there is no prepared dataset, or the file cannot be written
   */
  public void write(Configuration hadoop) {
    file.write(sheet(hadoop));
  }

  ContactSheet sheet(Configuration hadoop) {
    var manifest = DatasetManifest.read(hadoop, config.data().path());
    var images = choice(hadoop, config.data().path(), manifest, Split.TRAIN);
    var augment = config.augment();
    boolean mixes = augment.mixup() > 0 || augment.cutmix() > 0;
    return new ContactSheet(
        config.data().path(),
        "%d of %d training images, %d x %d, %d classes; run.seed = %d"
            .formatted(
                images.size(),
                manifest.images(Split.TRAIN),
                images.height(),
                images.width(),
                manifest.classCount(),
                config.run().seed()),
        images.channels(),
        images.height(),
        images.width(),
        List.of(
            new Group("original", "", List.of(originals(images, manifest))),
            new Group("SSL epochs", options(augment.ssl()), ssl(images, manifest)),
            new Group(
                mixes ? "SL epochs; JOINT epochs likewise, but unmixed" : "SL and JOINT epochs",
                options(augment.sl()) + mixing(augment),
                sl(images, manifest))));
  }

  // --- images ----------------------------------------------------------------------------------

  /** A few images of as many classes as possible. */
  static ImageSet choice(Configuration hadoop, String path, DatasetManifest manifest, Split split) {
    double share = (double) CHOICE * manifest.shards() / manifest.images(split);
    var choice = Shards.read(hadoop, path, manifest, split, new int[] {0}, Math.min(1, share));
    var ofItsClass = new int[choice.size()]; // how many of its class come before an image
    var seen = new int[manifest.classCount()];
    for (int i = 0; i < choice.size(); i++) {
      ofItsClass[i] = seen[choice.label(i)]++;
    }
    int[] rows =
        IntStream.range(0, choice.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> ofItsClass[i]))
            .limit(ROWS)
            .mapToInt(i -> i)
            .sorted()
            .toArray();
    return ImageSet.of(
        IntStream.of(rows).mapToLong(choice::id).toArray(),
        IntStream.of(rows).map(choice::label).toArray(),
        IntStream.of(rows).mapToDouble(choice::quantile).toArray(),
        IntStream.of(rows).mapToObj(row -> pixels(choice, row)).toArray(byte[][]::new),
        choice.channels(),
        choice.height(),
        choice.width());
  }

  static byte[] pixels(ImageSet images, int i) {
    var pixels = new byte[images.imageBytes()];
    images.read(i, pixels);
    return pixels;
  }

  private static Column originals(ImageSet images, DatasetManifest manifest) {
    var cells = new ArrayList<Cell>();
    for (int i = 0; i < images.size(); i++) {
      cells.add(new Cell(pixels(images, i), List.of(manifest.classes().get(images.label(i)))));
    }
    return new Column("", cells);
  }

  private List<Column> ssl(ImageSet images, DatasetManifest manifest) {
    var columns = new ArrayList<Column>();
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      var batch = batch(images, manifest, config.augment().ssl(), epoch);
      columns.add(column(batch, epoch, images, manifest, n -> List.of()));
    }
    return columns;
  }

  private List<Column> sl(ImageSet images, DatasetManifest manifest) {
    int classes = manifest.classCount();
    var columns = new ArrayList<Column>();
    for (int epoch = EPOCHS; epoch < 2 * EPOCHS; epoch++) {
      var batch = batch(images, manifest, config.augment().sl(), epoch);
      var targets = new float[batch.size() * classes];
      for (int n = 0; n < batch.size(); n++) {
        targets[n * classes + batch.labels()[n]] = 1;
      }
      new MixupCutmix(config.augment(), config.run().seed(), epoch)
          .mix(batch.ids(), batch.pixels(), batch.height(), batch.width(), targets);
      columns.add(
          column(
              batch,
              epoch,
              images,
              manifest,
              n -> names(Arrays.copyOfRange(targets, n * classes, (n + 1) * classes), manifest)));
    }
    return columns;
  }

  private Minibatch batch(
      ImageSet images, DatasetManifest manifest, Augment.Images augment, int epoch) {
    return Minibatches.training(
            Share.all(images, manifest.normalization()),
            augment,
            config.run().seed(),
            epoch,
            images.size(),
            1,
            Minibatches.Labels.ALL)
        .next();
  }

  /** A minibatch in the order of the images' ids. */
  private static Column column(
      Minibatch batch,
      int epoch,
      ImageSet images,
      DatasetManifest manifest,
      IntFunction<List<String>> captions) {
    var cells =
        IntStream.range(0, batch.size())
            .boxed()
            .sorted(Comparator.comparingLong(n -> batch.ids()[n]))
            .map(n -> new Cell(pixels(batch, n, manifest.normalization()), captions.apply(n)))
            .toList();
    return new Column("epoch " + (epoch + 1), cells);
  }

  /** What was normalised, as it can be seen. */
  static byte[] pixels(Minibatch batch, int n, Normalization normalization) {
    return pixels(
        batch.pixels(), n, batch.channels(), batch.height() * batch.width(), normalization);
  }

  /**
   * Image n of many.
   *
   * @param images [n, channels, area], normalised
   */
  static byte[] pixels(float[] images, int n, int channels, int area, Normalization normalization) {
    var pixels = new byte[channels * area];
    for (int p = 0; p < pixels.length; p++) {
      int c = Math.min(p / area, normalization.mean().size() - 1);
      double value =
          images[n * pixels.length + p] * normalization.std().get(c) + normalization.mean().get(c);
      pixels[p] = (byte) Math.round(255 * Math.max(0, Math.min(1, value)));
    }
    return pixels;
  }

  // --- texts -----------------------------------------------------------------------------------

  /** The classes of a target, with their shares if there are several. */
  private static List<String> names(float[] target, DatasetManifest manifest) {
    var classes =
        IntStream.range(0, target.length)
            .boxed()
            .filter(c -> target[c] >= 0.005)
            .sorted(Comparator.comparingDouble(c -> -target[c]))
            .toList();
    return classes.stream()
        .map(
            c ->
                (classes.size() == 1 ? "" : "%.0f %% ".formatted(100 * target[c]))
                    + manifest.classes().get(c))
        .toList();
  }

  private static String options(Augment.Images options) {
    var parts = new ArrayList<String>();
    var crop = options.randomResizedCrop();
    if (crop.scale().low() < 1) {
      parts.add(
          "random-resized-crop %s to %s"
              .formatted(number(crop.scale().low()), number(crop.scale().high())));
    }
    if (options.cropPadding() > 0) {
      parts.add("crop-padding " + options.cropPadding());
    }
    if (options.flip()) {
      parts.add("flip");
    }
    var rand = options.randAugment();
    if (rand.ops() > 0) {
      parts.add("rand-augment %d x %s".formatted(rand.ops(), number(rand.magnitude())));
    }
    if (options.randomErasing() > 0) {
      parts.add("random-erasing " + number(options.randomErasing()));
    }
    return parts.isEmpty() ? "as they are" : String.join(", ", parts);
  }

  private static String mixing(Augment augment) {
    return (augment.mixup() > 0 ? ", mixup " + number(augment.mixup()) : "")
        + (augment.cutmix() > 0 ? ", cutmix " + number(augment.cutmix()) : "");
  }

  private static String number(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
  }
}
