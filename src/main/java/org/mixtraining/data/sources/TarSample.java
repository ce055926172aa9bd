package org.mixtraining.data.sources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.hadoop.fs.FSDataInputStream;
import org.mixtraining.config.UserException;

/**
 * A sample of a WebDataset's tar file: the members whose paths are the same up to the first dot of
 * their names.
 *
 * @param key that path
 * @param image where its bytes lie in the tar file
 * @param label as it is written; null if there is none
 * @param problem why it cannot be used; null if it can
 */
record TarSample(String key, Place image, String label, String problem) implements Serializable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LONGEST_LABEL = 1 << 20;

  /** Bytes of a file. */
  record Place(long offset, long bytes) implements Serializable {
    static final Place NONE = new Place(0, 0);
  }

  private enum Kind {
    IMAGE,
    CLASS,
    JSON,
    OTHER;

    static Kind of(String ending) {
      return switch (ending) {
        case "jpg", "jpeg", "png" -> IMAGE;
        case "cls" -> CLASS;
        case "json" -> JSON;
        default -> OTHER;
      };
    }
  }

  /** A member, with its text if that may say the label. */
  private record Member(String name, Kind kind, Place place, String text) {}

  /**
   * The samples of a tar file in order of their first members; images are not read.
   *
   * @param field of JSON members that holds the label
   * @throws UserException if the file is damaged
   */
  static List<TarSample> of(Listing listing, Listing.Entry file, String field) throws IOException {
    Map<String, List<Member>> samples = new LinkedHashMap<>();
    try (var in = listing.fs().open(listing.path(file.name()));
        var tar = new TarArchiveInputStream(in)) {
      checkEnd(listing, file, in);
      for (var entry = next(listing, file, tar); entry != null; entry = next(listing, file, tar)) {
        var name = entry.getName();
        int dot = name.indexOf('.', name.lastIndexOf('/') + 1);
        if (!entry.isFile() || dot < 0) {
          if (!entry.isDirectory()) {
            listing.notes().add("no member of a sample, skipped", file.name() + ": " + name);
          }
          continue;
        }
        var member = member(listing, file, tar, in, entry, name.substring(dot + 1));
        if (member.kind() == Kind.OTHER) {
          listing.notes().add("neither image nor label, skipped", file.name() + ": " + name);
        }
        samples.computeIfAbsent(name.substring(0, dot), key -> new ArrayList<>()).add(member);
      }
    }
    return samples.entrySet().stream()
        .map(sample -> of(sample.getKey(), sample.getValue(), field))
        .toList();
  }

  /** A tar file ends with zeros; the reader takes any end for it, also that of a cut one. */
  private static void checkEnd(Listing listing, Listing.Entry file, FSDataInputStream in)
      throws IOException {
    var last = new byte[(int) Math.min(TarConstants.DEFAULT_RCDSIZE, file.bytes())];
    in.readFully(file.bytes() - last.length, last);
    if (!Arrays.equals(last, new byte[TarConstants.DEFAULT_RCDSIZE])) {
      throw new UserException(
          "mixtraining.data.source: %s is truncated, or no tar file: it does not end with %s zeros"
              .formatted(listing.path(file.name()), TarConstants.DEFAULT_RCDSIZE));
    }
  }

  private static TarArchiveEntry next(
      Listing listing, Listing.Entry file, TarArchiveInputStream tar) {
    try {
      return tar.getNextTarEntry();
    } catch (IOException | IllegalArgumentException e) {
      throw new UserException(
          "mixtraining.data.source: %s is damaged: %s"
              .formatted(listing.path(file.name()), e.getMessage()));
    }
  }

  private static Member member(
      Listing listing,
      Listing.Entry file,
      TarArchiveInputStream tar,
      FSDataInputStream in,
      TarArchiveEntry entry,
      String ending)
      throws IOException {
    var place = new Place(in.getPos(), entry.getSize());
    if (place.offset() + place.bytes() > file.bytes()) {
      throw new UserException(
          "mixtraining.data.source: %s is truncated in %s"
              .formatted(listing.path(file.name()), entry.getName()));
    }
    var kind = Kind.of(ending.toLowerCase(Locale.ROOT));
    boolean says = kind == Kind.CLASS || kind == Kind.JSON;
    var text =
        says ? new String(tar.readNBytes(LONGEST_LABEL), StandardCharsets.UTF_8).strip() : "";
    return new Member(entry.getName(), kind, place, text);
  }

  private static TarSample of(String key, List<Member> members, String field) {
    var images = of(members, Kind.IMAGE);
    var classes = of(members, Kind.CLASS);
    var jsons = of(members, Kind.JSON);
    for (var same : List.of(images, classes, jsons)) {
      if (same.size() > 1) {
        var names = "%s and %s".formatted(same.get(0).name(), same.get(1).name());
        return new TarSample(key, Place.NONE, null, "has more than one of a kind: " + names);
      }
    }
    if (images.isEmpty()) {
      return new TarSample(key, Place.NONE, null, "has no .jpg, .jpeg or .png");
    }
    var label =
        classes.isEmpty()
            ? jsons.stream().findFirst().flatMap(json -> field(json.text(), field))
            : Optional.of(classes.get(0).text());
    return new TarSample(
        key, images.get(0).place(), label.filter(text -> !text.isEmpty()).orElse(null), null);
  }

  private static List<Member> of(List<Member> members, Kind kind) {
    return members.stream().filter(member -> member.kind() == kind).toList();
  }

  /** A field of a JSON object, if it has it and is one. */
  private static Optional<String> field(String json, String field) {
    try {
      JsonNode value = JSON.readTree(json).path(field);
      return value.isValueNode() && !value.isNull()
          ? Optional.of(value.asText())
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
