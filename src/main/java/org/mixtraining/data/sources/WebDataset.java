package org.mixtraining.data.sources;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.ImageDecoder;

/**
 * Tar files as the library WebDataset writes and reads them: the members of a sample are a {@code
 * .jpg}, {@code .jpeg} or {@code .png} and its label, a {@code .cls} or a field of a {@code .json}.
 * Labels are as {@link TextLabels} takes them. A tar file is of the split that a directory above it
 * or a word of its name names, else of the training split; without a test split, the validation
 * split is the test split, as in {@link Folder}.
 */
record WebDataset(Listing listing, Map<Split, List<Tar>> tars) {
  private static final String EXPECTED = "one with *.tar files of .jpg or .png with .cls or .json";

  /** A tar file. */
  private record Tar(String file, List<TarSample> samples) implements Serializable {}

  static Source open(DataConfig data, SparkSession spark) throws IOException {
    var listing = Listing.of(data.raw().source(), EXPECTED, spark);
    var field = data.raw().labelName();
    var files = new ArrayList<Listing.Entry>();
    for (var file : listing.walk()) {
      if (file.name().endsWith(".tar")) {
        files.add(file);
      } else {
        listing.notes().add("not a tar file, skipped", file.name());
      }
    }
    Map<Split, List<Tar>> tars = new EnumMap<>(Split.class);
    for (var tar : listing.readEach(files, (there, file) -> tar(there, file, field))) {
      tars.computeIfAbsent(split(tar.file), split -> new ArrayList<>()).add(tar);
    }
    if (!tars.containsKey(Split.TEST) && tars.containsKey(Split.VALIDATION)) {
      tars.put(Split.TEST, tars.remove(Split.VALIDATION));
    }
    if (!tars.containsKey(Split.TRAIN)) {
      throw new UserException(
          "mixtraining.data.source: no *.tar of training images in %s; expected %s"
              .formatted(listing.root(), EXPECTED));
    }
    return new WebDataset(listing, tars).source(data, field);
  }

  private static Tar tar(Listing there, Listing.Entry file, String field) throws IOException {
    return new Tar(file.name(), TarSample.of(there, file, field));
  }

  /** The split that a word of a path names, or else the training split. */
  static Split split(String file) {
    return Arrays.stream(file.split("[^A-Za-z]+"))
        .map(Split::named)
        .flatMap(Optional::stream)
        .findFirst()
        .orElse(Split.TRAIN);
  }

  private Source source(DataConfig data, String field) {
    var decoder = new ImageDecoder(data.preparation().imageSize(), data.preparation().maxPixels());
    if (labels().findAny().isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: no sample of %s has a label; expected a .cls, or a .json with the field that mixtraining.data.label names"
              .formatted(listing.root()));
    }
    var labels = TextLabels.of(listing.root().toString(), labels());
    var pieces = new ArrayList<Piece>();
    tars.forEach(
        (split, files) -> {
          for (var tar : files) {
            int none = Source.withoutLabel(data, split);
            var labelled =
                tar.samples.stream().map(sample -> labelled(sample, labels, none)).toList();
            pieces.addAll(
                TarImages.cut(split, listing.path(tar.file), tar.file, labelled, decoder));
          }
        });
    return new Source(field, labels.classes(), 3, pieces, listing.notes().list());
  }

  private static TarImages.Labelled labelled(TarSample sample, TextLabels labels, int none) {
    return new TarImages.Labelled(
        sample.key(), labels.index(sample.label(), none), sample.image(), sample.problem());
  }

  private Stream<String> labels() {
    return tars.values().stream()
        .flatMap(List::stream)
        .flatMap(tar -> tar.samples.stream())
        .map(TarSample::label)
        .filter(Objects::nonNull);
  }
}
