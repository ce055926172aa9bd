package org.mixtraining.data.preview;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.config.Decimals;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.BlendedMinibatches;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Shards;
import org.mixtraining.data.Share;
import org.mixtraining.data.Split;
import org.mixtraining.data.augment.MixupCutmix;
import org.mixtraining.data.preview.ContactSheet.Cell;
import org.mixtraining.data.preview.ContactSheet.Column;
import org.mixtraining.data.preview.ContactSheet.Group;

/**
 * A contact sheet of some training images of a prepared dataset and their augmentations in SSL and
 * SL epochs: the pixels and labels that a run of the same configuration trains on, except that
 * mixup and cutmix find their partners among the images shown. Where data.ssl names another
 * dataset, SSL epochs show its images, and JOINT epochs mixtures of both, their partners likewise.
 */
public final class Preview {
  private static final int ROWS = 8;
  private static final int EPOCHS = 4;

  /** Approximate number of images that are read, to choose some of different classes. */
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
    Shown own = Shown.of(hadoop, "mixtraining.data.path", config.data().path());
    own.manifest().checkPreparation(config.data());
    return new ContactSheet(
        config.data().path(),
        "%s of %s training images, %s x %s, %s classes; mixtraining.run.seed = %s"
            .formatted(
                own.images().size(),
                own.manifest().images(Split.TRAIN),
                own.images().height(),
                own.images().width(),
                own.manifest().classCount(),
                config.run().seed()),
        own.images().channels(),
        own.images().height(),
        own.images().width(),
        config.data().ssl().isEmpty() ? groups(own) : groups(own, others(hadoop, own)));
  }

  /** Those of data.ssl. */
  private Shown others(Configuration hadoop, Shown own) {
    Shown others = Shown.of(hadoop, "mixtraining.data.ssl", config.data().ssl());
    own.manifest().checkShape(config.data().ssl(), others.manifest());
    return others;
  }

  private List<Group> groups(Shown own) {
    AugmentConfig augment = config.augment();
    boolean mixes = augment.mixup() > 0 || augment.cutmix() > 0;
    return List.of(
        new Group("original", "", List.of(originals(own))),
        new Group("SSL epochs", Captions.options(augment.ssl()), ssl(own)),
        new Group(
            mixes ? "SL epochs; JOINT epochs likewise, but unmixed" : "SL and JOINT epochs",
            Captions.options(augment.sl()) + Captions.mixing(augment),
            sl(own)));
  }

  private List<Group> groups(Shown own, Shown others) {
    AugmentConfig augment = config.augment();
    double lambda = config.mix().lambda();
    return List.of(
        new Group("original", "", List.of(originals(own))),
        new Group("SL epochs", Captions.options(augment.sl()) + Captions.mixing(augment), sl(own)),
        new Group(
            "JOINT epochs",
            "%s; mixtraining.mix.lambda = %s, so each is %s %% of mixtraining.data.ssl"
                .formatted(
                    Captions.options(augment.sl()),
                    Decimals.plain(lambda),
                    Captions.percent(1 - lambda)),
            joint(own, others)),
        new Group("data.ssl", "", List.of(originals(others))),
        new Group("SSL epochs", Captions.options(augment.ssl()), ssl(others)));
  }

  // --- images ----------------------------------------------------------------------------------

  /** Images of a dataset that the sheet shows. */
  private record Shown(ImageSet images, DatasetManifest manifest) {

    static Shown of(Configuration hadoop, String key, String path) {
      DatasetManifest manifest = DatasetManifest.read(hadoop, key, path);
      return new Shown(choice(hadoop, path, manifest, Split.TRAIN), manifest);
    }
  }

  /** A few images with labels, of as many classes as possible. */
  static ImageSet choice(Configuration hadoop, String path, DatasetManifest manifest, Split split) {
    long labelled = Math.max(1, manifest.labelled(split, 1));
    long largest = Collections.max(manifest.splits().get(split).histogram());
    double first = Math.nextUp(0.5 / Math.max(1, largest)); // of the largest class, one image
    double share = Math.min(1, Math.max(first, (double) CHOICE * manifest.shards() / labelled));
    var shards = new Shards(hadoop, path, manifest, split);
    var choice = shards.read(new int[] {0}, share);
    if (choice.size() < ROWS) { // a small split does not fill its shards
      choice = shards.read(IntStream.range(0, manifest.shards()).toArray(), share);
    }
    return choice(choice, manifest);
  }

  private static ImageSet choice(ImageSet choice, DatasetManifest manifest) {
    var ofItsClass = new int[choice.size()]; // number of images of its class before an image
    var seen = new int[manifest.classCount()];
    int[] known = IntStream.range(0, choice.size()).filter(i -> choice.label(i) >= 0).toArray();
    for (int i : known) {
      ofItsClass[i] = seen[choice.label(i)]++;
    }
    int[] rows =
        IntStream.of(known)
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

  private static Column originals(Shown shown) {
    List<String> classes = shown.manifest().classes();
    ImageSet images = shown.images();
    var cells =
        IntStream.range(0, images.size())
            .mapToObj(i -> new Cell(pixels(images, i), List.of(classes.get(images.label(i)))));
    return new Column("", cells.toList());
  }

  private List<Column> ssl(Shown shown) {
    return columns(
        0,
        epoch -> {
          Minibatch batch = batches(shown, config.augment().ssl(), epoch).next();
          return column(batch, epoch, shown.manifest(), n -> List.of());
        });
  }

  private List<Column> joint(Shown own, Shown others) {
    AugmentConfig.Images augment = config.augment().sl();
    List<String> classes = own.manifest().classes();
    return columns(
        EPOCHS,
        epoch -> {
          Minibatch batch =
              new BlendedMinibatches(
                      batches(own, augment, epoch),
                      pass -> partners(others, augment, epoch, pass),
                      config.mix().lambda())
                  .next();
          return column(batch, epoch, own.manifest(), n -> List.of(classes.get(batch.labels()[n])));
        });
  }

  private List<Column> sl(Shown shown) {
    int classes = shown.manifest().classCount();
    return columns(
        EPOCHS,
        epoch -> {
          Minibatch batch = batches(shown, config.augment().sl(), epoch).next();
          var targets = new float[batch.size() * classes];
          for (int n = 0; n < batch.size(); n++) {
            targets[n * classes + batch.labels()[n]] = 1;
          }
          new MixupCutmix(config.augment(), config.run().seed(), epoch)
              .mix(batch.ids(), batch.pixels(), batch.height(), batch.width(), targets);
          IntFunction<float[]> target =
              n -> Arrays.copyOfRange(targets, n * classes, (n + 1) * classes);
          return column(
              batch,
              epoch,
              shown.manifest(),
              n -> Captions.names(target.apply(n), shown.manifest()));
        });
  }

  /** A column an epoch. */
  private static List<Column> columns(int first, IntFunction<Column> ofEpoch) {
    return IntStream.range(first, first + EPOCHS).mapToObj(ofEpoch).toList();
  }

  /** All images shown, in one minibatch. */
  private Minibatches batches(Shown shown, AugmentConfig.Images augment, int epoch) {
    return Minibatches.training(
        Share.all(shown.images(), shown.manifest().normalization()),
        augment,
        config.run().seed(),
        epoch,
        shown.images().size(),
        1,
        Minibatches.Labels.ALL);
  }

  private Minibatches partners(Shown shown, AugmentConfig.Images augment, int epoch, int pass) {
    return Minibatches.partners(
        Share.all(shown.images(), shown.manifest().normalization()),
        augment,
        config.run().seed(),
        epoch,
        shown.images().size(),
        pass);
  }

  /** A minibatch in the order of the images' ids. */
  private static Column column(
      Minibatch batch, int epoch, DatasetManifest manifest, IntFunction<List<String>> captions) {
    var cells =
        IntStream.range(0, batch.size())
            .boxed()
            .sorted(Comparator.comparingLong(n -> batch.ids()[n]))
            .map(n -> new Cell(pixels(batch, n, manifest.normalization()), captions.apply(n)))
            .toList();
    return new Column("epoch " + (epoch + 1), cells);
  }

  /** An image of a minibatch as displayable pixels. */
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
}
