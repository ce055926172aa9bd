package org.mixtraining.data.sources;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;

/**
 * The columns of a Parquet table that are read: an image as Hugging Face's {@code struct<bytes,
 * path>} or as plain binary, and its label, an integer or a string.
 *
 * @param schema the image, its path if there is one, and the label unless images are to be
 *     predicted
 * @param label name of the label's column, or null
 */
record ImageColumns(MessageType schema, String image, String label) {
  private static final Set<String> IMAGE_NAMES = Set.of("image", "img");
  private static final List<String> LABEL_NAMES = List.of("label", "labels");
  private static final Set<PrimitiveTypeName> LABEL_TYPES =
      Set.of(PrimitiveTypeName.INT32, PrimitiveTypeName.INT64, PrimitiveTypeName.BINARY);
  private static final String PATH = "path";

  /**
   * Finds the image and label columns of a table.
   *
   * @throws UserException if there are none, or the choice is ambiguous
   */
  static ImageColumns labelled(String where, MessageType schema, DataConfig data) {
    var image = image("mixtraining.data.source: " + where, schema, data);
    return new ImageColumns(schema, image.getName(), label(where, schema, image, data));
  }

  /** Finds the image column of a table, ignoring labels. */
  static ImageColumns unlabelled(String where, MessageType schema, DataConfig data) {
    return new ImageColumns(schema, image(where, schema, data).getName(), null);
  }

  /** {@code schema} is that of the table. */
  ImageColumns {
    var fields = new ArrayList<Type>();
    var type = schema.getType(image);
    if (type instanceof GroupType struct) {
      var parts = new ArrayList<Type>(List.of(struct.getType("bytes")));
      if (has(struct, PATH)) {
        parts.add(struct.getType(PATH));
      }
      fields.add(struct.withNewFields(parts));
    } else {
      fields.add(type);
      if (has(schema, PATH) && !PATH.equals(label)) { // as Spark's binaryFile has it
        fields.add(schema.getType(PATH));
      }
    }
    if (label != null) {
      fields.add(schema.getType(label));
    }
    schema = new MessageType(schema.getName(), fields);
  }

  private static Type image(String where, MessageType schema, DataConfig data) {
    if (!data.raw().image().isEmpty()) {
      if (!schema.containsField(data.raw().image())
          || !isImage(schema.getType(data.raw().image()))) {
        throw new UserException(
            "mixtraining.data.image = %s: %s has no image column of that name; its columns: %s"
                .formatted(data.raw().image(), where, columns(schema)));
      }
      return schema.getType(data.raw().image());
    }
    var all = named(schema, ImageColumns::isImage);
    var structs = all.stream().filter(type -> !type.isPrimitive()).toList();
    var famous = all.stream().filter(type -> IMAGE_NAMES.contains(type.getName())).toList();
    var candidates = !famous.isEmpty() ? famous : !structs.isEmpty() ? structs : all;
    if (candidates.isEmpty()) {
      throw new UserException(
          "%s has the columns %s; expected image: struct<bytes: binary, path: string> or binary"
              .formatted(where, columns(schema)));
    } else if (candidates.size() > 1) {
      throw new UserException(
          "%s has images in the columns %s; choose one with mixtraining.data.image"
              .formatted(where, names(candidates)));
    }
    return candidates.get(0);
  }

  private static String label(String where, MessageType schema, Type image, DataConfig data) {
    var asked = data.raw().label();
    var all = named(schema, type -> isLabel(type) && !type.getName().equals(image.getName()));
    if (all.stream().anyMatch(type -> type.getName().equals(asked))) {
      return asked;
    }
    var candidates =
        all.stream()
            .filter(
                type ->
                    LABEL_NAMES.contains(type.getName()) || type.getName().equals(asked + "_label"))
            .toList();
    if (candidates.size() != 1) {
      throw new UserException(
          candidates.isEmpty()
              ? "mixtraining.data.source: %s has the columns %s; expected label: integer or string, or mixtraining.data.label to name such a column"
                  .formatted(where, columns(schema))
              : "mixtraining.data.source: %s has labels in the columns %s; choose one with mixtraining.data.label = NAME"
                  .formatted(where, names(candidates)));
    }
    return candidates.get(0).getName();
  }

  /** The label's kind in {@code dataset.json}. */
  String labelKind(DataConfig data) {
    return LABEL_NAMES.contains(label) ? "label" : data.raw().label();
  }

  private static List<Type> named(MessageType schema, Predicate<Type> wanted) {
    return schema.getFields().stream().filter(wanted).toList();
  }

  private static String names(List<Type> fields) {
    return fields.stream().map(Type::getName).collect(Collectors.joining(" and "));
  }

  private static boolean isImage(Type type) {
    if (type.isRepetition(Type.Repetition.REPEATED)) {
      return false;
    }
    return type instanceof GroupType struct
        ? has(struct, "bytes")
        : isBinary(type) && type.getLogicalTypeAnnotation() == null;
  }

  private static boolean isLabel(Type type) {
    return type.isPrimitive()
        && !type.isRepetition(Type.Repetition.REPEATED)
        && LABEL_TYPES.contains(type.asPrimitiveType().getPrimitiveTypeName())
        && !(type.getLogicalTypeAnnotation()
            instanceof LogicalTypeAnnotation.DecimalLogicalTypeAnnotation);
  }

  private static boolean has(GroupType group, String name) {
    return group.containsField(name) && isBinary(group.getType(name));
  }

  private static boolean isBinary(Type type) {
    return type.isPrimitive()
        && type.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY
        && !type.isRepetition(Type.Repetition.REPEATED);
  }

  private static List<String> columns(MessageType schema) {
    return schema.getFields().stream()
        .limit(20)
        .map(field -> field.toString().replaceAll("\\s+", " "))
        .toList();
  }

  // --- rows ------------------------------------------------------------------------------------

  /** Whether labels are class names. */
  boolean isNamed() {
    return label != null
        && schema.getType(label).asPrimitiveType().getPrimitiveTypeName()
            == PrimitiveTypeName.BINARY;
  }

  boolean hasLabel(Group row) {
    return row.getFieldRepetitionCount(label) == 1;
  }

  /** The label of a row that has one, where it is a class's name. */
  String name(Group row) {
    return Source.className(row.getBinary(label, 0).toStringUsingUTF8());
  }

  /** The label of a row that has one, where it is a number. */
  long number(Group row) {
    var type = schema.getType(label).asPrimitiveType().getPrimitiveTypeName();
    return type == PrimitiveTypeName.INT64 ? row.getLong(label, 0) : row.getInteger(label, 0);
  }

  /** The original path of a row's image; null if there is none. */
  String path(Group row) {
    var of = !schema.getType(image).isPrimitive() && hasImage(row) ? row.getGroup(image, 0) : row;
    return of.getType().containsField(PATH)
            && !(of == row && PATH.equals(label))
            && of.getFieldRepetitionCount(PATH) == 1
        ? of.getBinary(PATH, 0).toStringUsingUTF8()
        : null;
  }

  boolean hasImage(Group row) {
    return row.getFieldRepetitionCount(image) == 1;
  }

  /** The image file of a row that has an image; null if there are no bytes. */
  byte[] bytes(Group row) {
    if (schema.getType(image).isPrimitive()) {
      return row.getBinary(image, 0).getBytes();
    }
    var struct = row.getGroup(image, 0);
    return struct.getFieldRepetitionCount("bytes") == 1
        ? struct.getBinary("bytes", 0).getBytes()
        : null;
  }
}
