package org.mixtraining.data.sources;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.ImageType;
import org.mixtraining.data.images.RawImage;

/**
 * Any folder of JPEG and PNG files with a directory per class, as torchvision's ImageFolder takes
 * it; classes in order of their names. With a directory of the train split above the classes it has
 * splits, which {@link Split#named} tells by their names: without a test split, the validation
 * split is the test split. With {@code data.keep-unlabelled}, a directory {@code unlabelled} beside
 * the classes or the splits has training images without a label, at any depth.
 *
 * @param unlabelled the directories of images without a label, below the root
 */
record Folder(Listing listing, ImageDecoder decoder, List<String> unlabelled) {
  private static final Set<String> UNLABELLED = Set.of("unlabelled", "unlabeled");
  private static final String EXPECTED =
      "one with a directory of images per class, or with train/ and test/ or val/ of that kind";

  static Source open(DataConfig data, SparkSession spark) throws IOException {
    var listing = Listing.of(data.raw().source(), EXPECTED, spark);
    var decoder = new ImageDecoder(data.preparation().imageSize(), data.preparation().maxPixels());
    return new Folder(listing, decoder, unlabelled(listing, data)).source();
  }

  private static List<String> unlabelled(Listing listing, DataConfig data) throws IOException {
    var found = listing.look("").directories().stream().filter(UNLABELLED::contains).toList();
    if (data.raw().keepUnlabelled() && found.isEmpty()) {
      throw new UserException(
          "mixtraining.data.keep-unlabelled = true: %s holds no directory unlabelled/"
              .formatted(listing.root()));
    } else if (!data.raw().keepUnlabelled() && !found.isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: %s holds %s/: set mixtraining.data.keep-unlabelled = true to train on its images without a label, or rename it"
              .formatted(listing.root(), found.get(0)));
    }
    return found;
  }

  private Source source() throws IOException {
    var splits = splits();
    var classes = new TreeMap<Split, SortedMap<String, List<String>>>();
    for (var split : splits.entrySet()) {
      classes.put(split.getKey(), classes(split.getValue()));
    }
    var names = List.copyOf(classes.get(Split.TRAIN).keySet());
    if (names.isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: no class directories in %s; expected %s, found %s"
              .formatted(
                  listing.path(splits.get(Split.TRAIN)),
                  EXPECTED,
                  names(listing.look(splits.get(Split.TRAIN)).files())));
    }
    var pieces = new ArrayList<Piece>();
    for (var split : splits.entrySet()) {
      var files = files(split.getValue(), classes.get(split.getKey()), names);
      if (split.getKey() == Split.TRAIN) {
        files.addAll(withoutLabel());
      }
      pieces.addAll(ImageFiles.cut(split.getKey(), listing, files, decoder));
    }
    return new Source("label", names, 3, pieces, listing.notes().list());
  }

  /** The directories in one that are not of images without a label. */
  private List<String> labelled(String below) throws IOException {
    var directories = new ArrayList<>(listing.look(below).directories());
    if (below.isEmpty()) {
      directories.removeAll(unlabelled);
    }
    return directories;
  }

  /** The directory of each split that there is, below the root. */
  private Map<Split, String> splits() throws IOException {
    var splits = new EnumMap<Split, String>(Split.class);
    var others = new ArrayList<String>();
    var twice = new ArrayList<String>();
    for (var name : labelled("")) {
      var split = Split.named(name);
      if (split.isEmpty()) {
        others.add(name);
      } else if (splits.containsKey(split.get())) {
        twice.add("%s/ and %s/".formatted(splits.get(split.get()), name));
      } else {
        splits.put(split.get(), name);
      }
    }
    var train = splits.get(Split.TRAIN);
    // a class may be called train, too
    if (train == null || listing.look(train).directories().isEmpty()) {
      return Map.of(Split.TRAIN, "");
    } else if (!others.isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: beside %s/, %s holds %s; allowed there: test/, val/"
              .formatted(train, listing.root(), others));
    } else if (!twice.isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: %s holds %s, which are the same split; keep only one of them"
              .formatted(listing.root(), twice.get(0)));
    }
    listing.note("beside the splits, skipped", "", listing.look("").files());
    if (!splits.containsKey(Split.TEST) && splits.containsKey(Split.VALIDATION)) {
      splits.put(Split.TEST, splits.remove(Split.VALIDATION));
    }
    return splits;
  }

  /** The directories of each class; more than one if their names are written in several forms. */
  private SortedMap<String, List<String>> classes(String split) throws IOException {
    var classes = new TreeMap<String, List<String>>();
    for (var directory : labelled(split)) {
      classes
          .computeIfAbsent(Source.className(directory), name -> new ArrayList<>())
          .add(Listing.join(split, directory));
    }
    classes.forEach(
        (name, directories) -> {
          if (directories.size() > 1) {
            listing.notes().add("one class, its name written in several Unicode forms", name);
          }
        });
    for (var file : listing.look(split).files()) {
      // a class must not get lost
      if (!file.isReachable() && ImageType.isImage(file.name()).isEmpty()) {
        throw new UserException(
            "mixtraining.data.source: %s in %s cannot be opened: a broken link, or a name that Java's encoding %s cannot represent (set LC_ALL=C.UTF-8)"
                .formatted(
                    file.name(), listing.path(split), System.getProperty("sun.jnu.encoding")));
      }
    }
    listing.note("beside the class directories, skipped", split, listing.look(split).files());
    return classes;
  }

  private List<ImageFiles.Labelled> files(
      String split, SortedMap<String, List<String>> directories, List<String> classes)
      throws IOException {
    listing.lookAhead(directories.values().stream().flatMap(List::stream).toList());
    var files = new ArrayList<ImageFiles.Labelled>();
    for (var ofClass : directories.entrySet()) {
      int label = Collections.binarySearch(classes, ofClass.getKey());
      if (label < 0) {
        throw new UserException(
            "mixtraining.data.source: class %s of %s/ is not one of train/"
                .formatted(ofClass.getKey(), split));
      }
      for (var directory : ofClass.getValue()) {
        files.addAll(ofClass(directory, label));
      }
    }
    return files;
  }

  private List<ImageFiles.Labelled> withoutLabel() throws IOException {
    var files = new ArrayList<ImageFiles.Labelled>();
    for (var directory : unlabelled) {
      for (var file : listing.images("", listing.walk(directory))) {
        files.add(new ImageFiles.Labelled(file.name(), RawImage.NONE_NEEDED, file.bytes()));
      }
    }
    return files;
  }

  private List<ImageFiles.Labelled> ofClass(String directory, int label) throws IOException {
    var found = listing.look(directory);
    if (!found.directories().isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: class directory %s holds the directory %s; expected images only"
              .formatted(listing.path(directory), found.directories().get(0)));
    } else if (found.files().isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: class directory %s is empty"
              .formatted(listing.path(directory)));
    }
    var images = listing.images(directory, found.files());
    if (images.isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: class directory %s has no images, only %s"
              .formatted(listing.path(directory), names(found.files())));
    }
    return images.stream()
        .map(file -> new ImageFiles.Labelled(directory + "/" + file.name(), label, file.bytes()))
        .toList();
  }

  private static List<String> names(List<Listing.Entry> files) {
    return files.stream().map(Listing.Entry::name).limit(10).toList();
  }
}
