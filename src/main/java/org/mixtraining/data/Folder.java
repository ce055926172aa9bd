package org.mixtraining.data;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;

/**
 * Any folder of JPEG and PNG files with a directory per class, as torchvision's ImageFolder takes
 * it; classes in order of their names. With {@code train/} above the classes it has splits: {@code
 * test/} is the test split, and {@code val/} is the validation split, or the test split where that
 * is all there is besides.
 */
final class Folder {
  private static final String EXPECTED =
      "one with a directory of images per class, or with train/ and test/ or val/ of that kind";

  private final Listing listing;
  private final ImageDecoder decoder;

  private Folder(Listing listing, ImageDecoder decoder) {
    this.listing = listing;
    this.decoder = decoder;
  }

  static Source open(JobConfig.Data data, Configuration hadoop) throws IOException {
    var listing = Listing.of(data.source(), EXPECTED, hadoop);
    return new Folder(listing, new ImageDecoder(data.imageSize(), data.maxPixels())).source();
  }

  private Source source() throws IOException {
    var splits = splits();
    var classes = directories(splits.get(Split.TRAIN));
    if (classes.isEmpty()) {
      throw new UserException(
          "data.source: no class directories in %s; expected %s, found %s"
              .formatted(
                  listing.path(splits.get(Split.TRAIN)),
                  EXPECTED,
                  listing.files(splits.get(Split.TRAIN)).stream()
                      .map(Listing.Entry::name)
                      .limit(10)
                      .toList()));
    }
    var pieces = new ArrayList<Piece>();
    for (var split : splits.entrySet()) {
      var files = files(split.getValue(), classes);
      pieces.addAll(ImageFiles.cut(split.getKey(), listing, files, decoder));
    }
    return new Source("label", classes, 3, pieces);
  }

  /** The directory of each split that there is, below the root. */
  private Map<Split, String> splits() throws IOException {
    var found = directories("");
    var splits = new LinkedHashMap<Split, String>();
    // a class may be called train, too
    if (!found.contains("train") || listing.directories("train").isEmpty()) {
      splits.put(Split.TRAIN, "");
      return splits;
    }
    var others = new HashSet<>(found);
    others.removeAll(List.of("train", "test", "val"));
    if (!others.isEmpty()) {
      throw new UserException(
          "data.source: beside train/, %s holds %s; allowed there: test/, val/"
              .formatted(listing.root(), others.stream().sorted().toList()));
    }
    splits.put(Split.TRAIN, "train");
    if (found.contains("val")) {
      splits.put(found.contains("test") ? Split.VALIDATION : Split.TEST, "val");
    }
    if (found.contains("test")) {
      splits.put(Split.TEST, "test");
    }
    return splits;
  }

  private List<ImageFiles.Labelled> files(String split, List<String> classes) throws IOException {
    for (var name : directories(split)) {
      if (!classes.contains(name)) {
        throw new UserException(
            "data.source: class %s of %s/ is not one of train/".formatted(name, split));
      }
    }
    var found = new HashSet<>(directories(split));
    var files = new ArrayList<ImageFiles.Labelled>();
    for (int label = 0; label < classes.size(); label++) {
      if (found.contains(classes.get(label))) {
        var directory = split.isEmpty() ? classes.get(label) : split + "/" + classes.get(label);
        files.addAll(ofClass(directory, label));
      }
    }
    return files;
  }

  private List<ImageFiles.Labelled> ofClass(String directory, int label) throws IOException {
    var nested = listing.directories(directory);
    if (!nested.isEmpty()) {
      throw new UserException(
          "data.source: class directory %s holds the directory %s; expected images only"
              .formatted(listing.path(directory), nested.get(0)));
    }
    var files = listing.files(directory);
    if (files.isEmpty()) {
      throw new UserException(
          "data.source: class directory %s is empty".formatted(listing.path(directory)));
    }
    return files.stream()
        .map(file -> new ImageFiles.Labelled(directory + "/" + file.name(), label, file.bytes()))
        .toList();
  }

  /** The directories, all of which can be entered: a class must not get lost. */
  private List<String> directories(String below) throws IOException {
    var lost = listing.unreachable(below);
    if (!lost.isEmpty()) {
      throw new UserException(
          "data.source: %s in %s cannot be opened: a broken link, or a name that the encoding %s of this Java does not have (LC_ALL=C.UTF-8 has every letter)"
              .formatted(lost.get(0), listing.path(below), System.getProperty("sun.jnu.encoding")));
    }
    return listing.directories(below);
  }
}
