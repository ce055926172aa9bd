package org.mixtraining.ml;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.apache.spark.ml.image.ImageSchema;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.mixtraining.config.UserException;
import org.mixtraining.data.sources.Input;

/**
 * A column of images.
 *
 * @param index its place among the columns
 */
record ImageColumn(String name, int index, Kind kind) implements Serializable {
  private static final String ACCEPTED =
      "accepted: binary (JPEG or PNG files, as in content of Spark's format binaryFile), struct<bytes: binary, path: string> (Hugging Face's) or Spark's image schema";

  private static final String BYTES = "bytes";
  private static final String PATH = "path";

  /** The ways in which a column holds images. */
  enum Kind {
    /** JPEG and PNG files. */
    FILE,
    /** Such files as the field {@code bytes} of a struct. */
    STRUCT,
    /** Decoded pixels, as Spark's format image has them. */
    PIXELS;

    private static Kind of(DataType type) {
      if (type.equals(DataTypes.BinaryType)) {
        return FILE;
      }
      if (!(type instanceof StructType struct)) {
        return null;
      }
      List<String> fields = List.of(struct.fieldNames());
      if (fields.containsAll(List.of(ImageSchema.imageFields()))) {
        return PIXELS;
      }
      boolean file =
          fields.contains(BYTES)
              && struct.apply(BYTES).dataType().equals(DataTypes.BinaryType)
              && (!fields.contains(PATH)
                  || struct.apply(PATH).dataType().equals(DataTypes.StringType));
      return file ? STRUCT : null;
    }
  }

  /**
   * The column of that name.
   *
   * @param param that names it, for the message
   * @throws UserException if there is none, or it holds something else
   */
  static ImageColumn of(StructType schema, String param, String name) {
    int index = index(schema, param, name);
    DataType type = schema.fields()[index].dataType();
    Kind kind = Kind.of(type);
    if (kind == null) {
      throw new UserException(
          "%s = %s: is a column of %s; %s".formatted(param, name, type.sql(), ACCEPTED));
    }
    return new ImageColumn(name, index, kind);
  }

  /** The place of a column that a param names. */
  static int index(StructType schema, String param, String name) {
    int index = Arrays.asList(schema.fieldNames()).indexOf(name);
    if (index < 0) {
      throw new UserException(
          "%s = %s: there is no such column; there are %s"
              .formatted(param, name, Arrays.toString(schema.fieldNames())));
    }
    return index;
  }

  /** The column of just that name, which may have dots. */
  static Column named(String name) {
    return col("`" + name.replace("`", "``") + "`");
  }

  /** A row's image in the shape that a model wants, or the reason why there is none. */
  Input input(Row row, Input.Form form) {
    try {
      return form.decode(name, row.isNullAt(index) ? null : file(row));
    } catch (UserException e) {
      return new Input(name, null, e.getMessage());
    }
  }

  private byte[] file(Row row) {
    return switch (kind) {
      case FILE -> row.getAs(index);
      case STRUCT -> row.getStruct(index).getAs(BYTES);
      case PIXELS -> png(row.getStruct(index));
    };
  }

  /**
   * The images as Hugging Face's tables hold them: {@code struct<bytes, path>}.
   *
   * @param schema of the table that they are in
   */
  Column huggingFace(StructType schema) {
    Column image = named(name);
    Column none = lit(null).cast(DataTypes.StringType);
    return switch (kind) {
      case FILE -> {
        boolean named =
            Arrays.stream(schema.fields())
                .anyMatch(f -> f.name().equals(PATH) && f.dataType().equals(DataTypes.StringType));
        yield struct(image.as(BYTES), (named ? col(PATH) : none).as(PATH));
      }
      case STRUCT -> {
        StructField[] fields = ((StructType) schema.apply(name).dataType()).fields();
        boolean named = Arrays.stream(fields).anyMatch(f -> f.name().equals(PATH));
        yield struct(
            image.getField(BYTES).as(BYTES), (named ? image.getField(PATH) : none).as(PATH));
      }
      case PIXELS -> {
        UDF1<Row, byte[]> encode = ImageColumn::pngOrNothing;
        Column file = udf(encode, DataTypes.BinaryType).apply(image);
        yield struct(when(image.isNotNull(), file).as(BYTES), image.getField("origin").as(PATH));
      }
    };
  }

  private static byte[] pngOrNothing(Row image) {
    try {
      return png(image);
    } catch (UserException e) {
      return new byte[0];
    }
  }

  /** Pixels of Spark's image schema, blue first, as a file; transparency is ignored. */
  private static byte[] png(Row image) {
    int height = image.getAs("height");
    int width = image.getAs("width");
    int channels = image.getAs("nChannels");
    int mode = image.getAs("mode");
    byte[] data = image.getAs("data");
    if (height < 1 || width < 1 || data == null || mode != 8 * (channels - 1)) {
      throw new UserException(
          "is no image of 8 bits a channel (mode %s, %s x %s)".formatted(mode, height, width));
    }
    if ((channels != 1 && channels != 3 && channels != 4)
        || data.length != (long) height * width * channels) {
      throw new UserException(
          "has %s bytes for %s x %s pixels of %s channels"
              .formatted(data.length, height, width, channels));
    }
    boolean grey = channels == 1;
    var picture =
        new BufferedImage(
            width, height, grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR);
    var raster = picture.getRaster();
    int bands = raster.getNumBands();
    int[] samples = new int[bands * width];
    for (int y = 0; y < height; y++) {
      for (int i = 0; i < samples.length; i++) {
        int at = (y * width + i / bands) * channels;
        samples[i] = data[at + (grey ? 0 : 2 - i % bands)] & 0xFF;
      }
      raster.setPixels(0, y, width, 1, samples);
    }
    var file = new ByteArrayOutputStream();
    try {
      ImageIO.write(picture, "png", file);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return file.toByteArray();
  }
}
