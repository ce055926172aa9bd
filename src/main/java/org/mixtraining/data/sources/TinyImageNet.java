package org.mixtraining.data.sources;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.RawImage;

/**
 * Tiny ImageNet as it was published (Le and Yang, <a
 * href="http://cs231n.stanford.edu/reports/2015/pdfs/yle_project.pdf">Tiny ImageNet Visual
 * Recognition Challenge</a>): {@code wnids.txt}, {@code train/WNID/images/}, {@code val/images/}
 * with {@code val_annotations.txt}, and {@code words.txt}, which may be missing. Its val images are
 * the test split, as in the literature: the labels of its own test images were never published.
 */
record TinyImageNet(Listing listing, List<String> wnids) {
  private static final String EXPECTED =
      "the directory tiny-imagenet-200 with wnids.txt, train/ and val/";
  private static final String ANNOTATIONS = "val/val_annotations.txt";
  private static final String RESTING = "beside the labelled images, skipped";

  static Source open(DataConfig data, SparkSession spark) throws IOException {
    var listing = Listing.of(data.raw().source(), EXPECTED, spark);
    for (var part : List.of("wnids.txt", "train", "val/images", ANNOTATIONS)) {
      if (!listing.has(part)) {
        throw new UserException(
            "mixtraining.data.source: no %s in %s; expected %s"
                .formatted(part, listing.root(), EXPECTED));
      }
    }
    var dataset = new TinyImageNet(listing, wnids(listing));
    var decoder = new ImageDecoder(data.preparation().imageSize(), data.preparation().maxPixels());
    var pieces = new ArrayList<>(ImageFiles.cut(Split.TRAIN, listing, dataset.train(), decoder));
    pieces.addAll(ImageFiles.cut(Split.TEST, listing, dataset.val(), decoder));
    dataset.noteRest();
    return new Source("label", dataset.names(), 3, pieces, listing.notes().list());
  }

  private static List<String> wnids(Listing listing) throws IOException {
    var wnids = listing.lines("wnids.txt");
    var seen = new HashSet<String>();
    for (int i = 0; i < wnids.size(); i++) {
      if (!wnids.get(i).matches("[A-Za-z0-9]+") || !seen.add(wnids.get(i))) {
        throw new UserException(
            "mixtraining.data.source: %s, class %s: %s is not a WordNet id, or a duplicate; expected one per line, such as n01443537"
                .formatted(listing.path("wnids.txt"), i, wnids.get(i)));
      }
    }
    if (wnids.isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: %s is empty".formatted(listing.path("wnids.txt")));
    }
    return wnids;
  }

  private List<ImageFiles.Labelled> train() throws IOException {
    var files = new ArrayList<ImageFiles.Labelled>();
    var classes = listing.look("train").directories();
    listing.lookAhead(wnids.stream().map(wnid -> "train/" + wnid).toList());
    listing.lookAhead(wnids.stream().map("train/%s/images"::formatted).toList());
    for (int label = 0; label < wnids.size(); label++) {
      var directory = "train/%s/images".formatted(wnids.get(label));
      if (!classes.contains(wnids.get(label))
          || !listing.look("train/" + wnids.get(label)).directories().contains("images")) {
        throw new UserException(
            "mixtraining.data.source: no %s in %s, which wnids.txt names"
                .formatted(directory, listing.root()));
      }
      for (var file : images(directory)) {
        files.add(new ImageFiles.Labelled(directory + "/" + file.name(), label, file.bytes()));
      }
    }
    return files;
  }

  private List<Listing.Entry> images(String directory) throws IOException {
    var there = listing.look(directory);
    there.directories().forEach(name -> listing.notes().add(RESTING, directory + "/" + name + "/"));
    return listing.images(directory, there.files());
  }

  /** Notes the files beside the images. */
  private void noteRest() throws IOException {
    var parts = new LinkedHashSet<>(List.of("", "train", "val"));
    wnids.forEach(wnid -> parts.add("train/" + wnid));
    var read = Set.of("wnids.txt", "words.txt", ANNOTATIONS, "train", "val", "val/images");
    for (var part : parts) {
      var there = listing.look(part);
      for (var file : there.files()) {
        if (!read.contains(Listing.join(part, file.name()))) {
          listing.notes().add(RESTING, Listing.join(part, file.name()));
        }
      }
      for (var name : there.directories()) {
        var below = Listing.join(part, name);
        if (!read.contains(below) && !parts.contains(below) && !below.endsWith("/images")) {
          listing.notes().add(RESTING, below + "/");
        }
      }
    }
  }

  /** The images in the directory, and those in the annotations that are missing from it. */
  private List<ImageFiles.Labelled> val() throws IOException {
    Map<String, Integer> labels = annotations();
    var files = new ArrayList<ImageFiles.Labelled>();
    for (var file : images("val/images")) {
      Integer label = labels.remove(file.name());
      files.add(
          new ImageFiles.Labelled(
              "val/images/" + file.name(),
              label == null ? RawImage.UNLABELLED : label,
              file.bytes()));
    }
    labels.forEach(
        (name, label) ->
            files.add(
                new ImageFiles.Labelled("val/images/" + name, label, Listing.Entry.UNREACHABLE)));
    return files;
  }

  /** Class index by file name: the first two of each line's columns. */
  private Map<String, Integer> annotations() throws IOException {
    var indices = new HashMap<String, Integer>();
    wnids.forEach(wnid -> indices.put(wnid, indices.size()));
    var labels = new TreeMap<String, Integer>();
    for (var line : listing.lines(ANNOTATIONS)) {
      var columns = line.split("\t", -1);
      var label = columns.length < 2 ? null : indices.get(columns[1]);
      if (label == null || labels.put(columns[0], label) != null) {
        throw new UserException(
            "mixtraining.data.source: %s: \"%s\" is not a file name, tab and WordNet id of wnids.txt, or the file is a duplicate"
                .formatted(
                    listing.path(ANNOTATIONS), line.substring(0, Math.min(80, line.length()))));
      }
    }
    return labels;
  }

  /** The first word that words.txt has for a class, else its WordNet id. */
  private List<String> names() throws IOException {
    var names = new HashMap<String, String>();
    if (listing.has("words.txt")) {
      for (var line : listing.lines("words.txt")) {
        var columns = line.split("\t", 2);
        var word = columns[columns.length - 1].split(",", 2)[0].strip();
        names.put(columns[0], word.isEmpty() ? columns[0] : word);
      }
    }
    return wnids.stream().map(wnid -> names.getOrDefault(wnid, wnid)).toList();
  }
}
