package org.mixtraining.data.sources;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.RawImage;

/**
 * ImageNet (Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, arXiv 1409.0575)
 * as Kaggle hands it out: a directory of training images per class, validation images side by side
 * with their classes in a table, and a list of the classes. Its val images are the test split, as
 * in the literature: the labels of its own test images were never published.
 *
 * @param classes name by WordNet id, in the order of the list
 */
record ImageNet(Listing listing, Map<String, String> classes) {
  private static final String DATA = "ILSVRC/Data/CLS-LOC";
  private static final String TRAIN = DATA + "/train";
  private static final String VAL = DATA + "/val";
  private static final String CLASSES = "LOC_synset_mapping.txt";
  private static final String ANNOTATIONS = "LOC_val_solution.csv";
  private static final String EXPECTED =
      "the directory with %s, %s, %s and %s".formatted(CLASSES, ANNOTATIONS, TRAIN, VAL);
  private static final String RESTING = "beside the labelled images, skipped";

  static Source open(DataConfig data, SparkSession spark) throws IOException {
    var listing = Listing.of(data.raw().source(), EXPECTED, spark);
    for (var part : List.of(CLASSES, ANNOTATIONS, TRAIN, VAL)) {
      if (!listing.has(part)) {
        throw new UserException(
            "mixtraining.data.source: no %s in %s; expected %s"
                .formatted(part, listing.root(), EXPECTED));
      }
    }
    var dataset = new ImageNet(listing, classes(listing));
    var decoder = new ImageDecoder(data.preparation().imageSize(), data.preparation().maxPixels());
    var pieces = new ArrayList<>(ImageFiles.cut(Split.TRAIN, listing, dataset.train(), decoder));
    pieces.addAll(ImageFiles.cut(Split.TEST, listing, dataset.val(), decoder));
    return new Source("label", dataset.names(), 3, pieces, listing.notes().list());
  }

  private static Map<String, String> classes(Listing listing) throws IOException {
    var classes = new LinkedHashMap<String, String>();
    for (var line : listing.lines(CLASSES)) {
      var columns = line.split("\\s+", 2);
      if (!columns[0].matches("n\\d+") || classes.containsKey(columns[0])) {
        throw new UserException(
            "mixtraining.data.source: %s: \"%s\" does not begin with a WordNet id, such as n01440764, or it is a duplicate"
                .formatted(listing.path(CLASSES), start(line)));
      }
      var words = columns[columns.length - 1];
      classes.put(columns[0], words.split(",", 2)[0].strip());
    }
    if (classes.isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: %s is empty".formatted(listing.path(CLASSES)));
    }
    return classes;
  }

  /** The first word for a class, with its WordNet id where two classes have the same (crane). */
  private List<String> names() {
    var seen = new HashSet<String>();
    var several = new HashSet<String>();
    classes.values().stream().filter(name -> !seen.add(name)).forEach(several::add);
    return classes.entrySet().stream()
        .map(
            of ->
                several.contains(of.getValue())
                    ? "%s (%s)".formatted(of.getValue(), of.getKey())
                    : of.getValue())
        .toList();
  }

  private List<ImageFiles.Labelled> train() throws IOException {
    var files = new ArrayList<ImageFiles.Labelled>();
    var there = listing.look(TRAIN);
    listing.lookAhead(classes.keySet().stream().map(wnid -> TRAIN + "/" + wnid).toList());
    int label = 0;
    for (var wnid : classes.keySet()) {
      var directory = TRAIN + "/" + wnid;
      if (!there.directories().contains(wnid)) {
        throw new UserException(
            "mixtraining.data.source: no %s in %s, which %s names"
                .formatted(directory, listing.root(), CLASSES));
      }
      for (var file : listing.images(directory, listing.look(directory).files())) {
        files.add(new ImageFiles.Labelled(directory + "/" + file.name(), label, file.bytes()));
      }
      label++;
    }
    listing.note(RESTING, TRAIN, there.files());
    there.directories().stream()
        .filter(name -> !classes.containsKey(name))
        .forEach(name -> listing.notes().add(RESTING, TRAIN + "/" + name + "/"));
    return files;
  }

  /** The images in the directory, and those in the annotations that are missing from it. */
  private List<ImageFiles.Labelled> val() throws IOException {
    Map<String, Integer> labels = annotations();
    var files = new ArrayList<ImageFiles.Labelled>();
    for (var file : listing.images(VAL, listing.look(VAL).files())) {
      var label = labels.remove(file.name().replaceFirst("\\.[^.]*$", ""));
      files.add(
          new ImageFiles.Labelled(
              VAL + "/" + file.name(), label == null ? RawImage.UNLABELLED : label, file.bytes()));
    }
    labels.forEach(
        (name, label) ->
            files.add(
                new ImageFiles.Labelled(
                    VAL + "/" + name + ".JPEG", label, Listing.Entry.UNREACHABLE)));
    return files;
  }

  /** Class index by image: "ILSVRC2012_val_00000001,n03995372 85 1 499 272", and a heading. */
  private Map<String, Integer> annotations() throws IOException {
    var indices = new HashMap<String, Integer>();
    classes.keySet().forEach(wnid -> indices.put(wnid, indices.size()));
    var labels = new TreeMap<String, Integer>();
    for (var line : listing.lines(ANNOTATIONS)) {
      var columns = line.split(",", 2);
      if (columns[0].equals("ImageId")) {
        continue;
      }
      var wnid = columns.length < 2 ? "" : columns[1].strip().split("\\s+", 2)[0];
      var label = indices.get(wnid);
      if (label == null || labels.put(columns[0], label) != null) {
        throw new UserException(
            "mixtraining.data.source: %s: \"%s\" is not an image, comma and WordNet id of %s, or the image is a duplicate"
                .formatted(listing.path(ANNOTATIONS), start(line), CLASSES));
      }
    }
    return labels;
  }

  private static String start(String line) {
    return line.substring(0, Math.min(80, line.length()));
  }
}
