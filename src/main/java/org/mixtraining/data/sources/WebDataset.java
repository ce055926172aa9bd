package org.mixtraining.data.sources;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Listing;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.RawImage;

/**
 * Tar files as the library WebDataset writes and reads them: the members of a sample are a {@code
 * .jpg}, {@code .jpeg} or {@code .png} and its label, a {@code .cls} or a field of a {@code .json}.
 * Labels are class numbers, or else class names. A tar file is of the split that a directory above
 * it or a word of its name names, else of the training split; without a test split, the validation
 * split is the test split, as in {@link Folder}.
 */
record WebDataset(Listing listing, Map<Split, List<Tar>> tars) {
  private static final String EXPECTED = "one with *.tar files of .jpg or .png with .cls or .json";

  /** A tar file. */
  private record Tar(String file, List<TarSample> samples) {}

  static Source open(DataConfig data, Configuration hadoop) throws IOException {
    var listing = Listing.of(data.raw().source(), EXPECTED, hadoop);
    var field = data.raw().label().equals(DataConfig.Raw.FINE) ? "label" : data.raw().label();
    Map<Split, List<Tar>> tars = new EnumMap<>(Split.class);
    for (var file : listing.walk()) {
      if (file.name().endsWith(".tar")) {
        tars.computeIfAbsent(split(file.name()), split -> new ArrayList<>())
            .add(new Tar(file.name(), TarSample.of(listing, file, field)));
      } else {
        listing.notes().add("not a tar file, skipped", file.name());
      }
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

  private static Split split(String file) {
    return Arrays.stream(file.split("[^A-Za-z]+"))
        .map(Split::named)
        .flatMap(Optional::stream)
        .findFirst()
        .orElse(Split.TRAIN);
  }

  private Source source(DataConfig data, String field) {
    var decoder = new ImageDecoder(data.preparation().imageSize(), data.preparation().maxPixels());
    var classes = classes();
    Map<String, Integer> indices = new HashMap<>();
    classes.forEach(name -> indices.put(name, indices.size()));
    var pieces = new ArrayList<Piece>();
    tars.forEach(
        (split, files) -> {
          for (var tar : files) {
            var labelled =
                tar.samples.stream().map(sample -> labelled(sample, indices)).toList();
            pieces.addAll(
                TarImages.cut(split, listing.path(tar.file), tar.file, labelled, decoder));
          }
        });
    return new Source(field, classes, 3, pieces, listing.notes().list());
  }

  private static TarImages.Labelled labelled(TarSample sample, Map<String, Integer> classes) {
    int label =
        sample.label() == null
            ? RawImage.UNLABELLED
            : classes.get(Source.className(sample.label()));
    return new TarImages.Labelled(sample.key(), label, sample.image(), sample.problem());
  }

  /** The numbers up to the largest, or all names in their own order. */
  private List<String> classes() {
    var labels = labels().map(Source::className).distinct().sorted().toList();
    if (labels.isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: no sample of %s has a label; expected a .cls, or a .json with the field that mixtraining.data.label names"
              .formatted(listing.root()));
    }
    boolean numbered = labels.stream().allMatch(label -> label.matches("0|[1-9]\\d{0,8}"));
    int count =
        numbered ? labels.stream().mapToInt(Integer::parseInt).max().orElseThrow() + 1 : labels.size();
    if (count > ParquetTable.MOST_CLASSES) {
      throw new UserException(
          "mixtraining.data.source: the labels of %s are of %s classes; allowed: 1 to %s"
              .formatted(listing.root(), count, ParquetTable.MOST_CLASSES));
    }
    return numbered ? IntStream.range(0, count).mapToObj(Integer::toString).toList() : labels;
  }

  private Stream<String> labels() {
    return tars.values().stream()
        .flatMap(List::stream)
        .flatMap(tar -> tar.samples.stream())
        .map(TarSample::label)
        .filter(Objects::nonNull);
  }
}
