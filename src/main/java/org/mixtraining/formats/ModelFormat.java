package org.mixtraining.formats;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/** What a file is that was given as a model, told by its first bytes and never by its name. */
public enum ModelFormat {
  /** A zip that {@code export} wrote. */
  EXPORT,
  /** A checkpoint or kept model of a run. */
  CHECKPOINT,
  /** Safetensors of another program. */
  WEIGHTS;

  private static final ObjectMapper JSON = new ObjectMapper();

  /** As much of a text as is looked at to tell what it is. */
  private static final int BEGINNING = 512;

  private static final String TO_SAFETENSORS =
      "save its state_dict with safetensors.torch.save_file and give that file";

  /** First bytes of files that are no models here, in Latin-1, and where they begin. */
  private record Signature(int at, String bytes, String what) {
    boolean in(byte[] content) {
      byte[] expected = bytes.getBytes(StandardCharsets.ISO_8859_1);
      return content.length >= at + expected.length
          && Arrays.equals(content, at, at + expected.length, expected, 0, expected.length);
    }
  }

  private static final List<Signature> OTHERS =
      List.of(
          new Signature(0, "GGUF", "a GGUF file, as llama.cpp reads them"),
          new Signature(0, "\u0093NUMPY", "a NumPy array"),
          new Signature(0, "\u0089HDF\r\n\u001a\n", "an HDF5 file, as Keras writes them"),
          new Signature(4, "TFL3", "a TensorFlow Lite model"),
          new Signature(257, "ustar", "a tar archive; unpack it first"),
          new Signature(0, "\u001f\u008b", "packed by gzip; unpack it first"),
          new Signature(0, "\u0028\u00b5\u002f\u00fd", "packed by zstd; unpack it first"),
          new Signature(0, "\u00fd7zXZ", "packed by xz; unpack it first"),
          new Signature(0, "BZh", "packed by bzip2; unpack it first"));

  /**
   * @throws DamagedFileException if it is something else, which the message names, or cut off
   */
  public static ModelFormat of(byte[] content) throws DamagedFileException {
    if (content.length == 0) {
      throw new DamagedFileException("it is empty");
    }
    if (isZip(content)) {
      checkExport(content);
      return EXPORT;
    }
    if (isSafetensors(content)) {
      return ForeignTensors.header(content).path("__metadata__").has(TensorFile.TEXT)
          ? CHECKPOINT
          : WEIGHTS;
    }
    throw new DamagedFileException(other(content));
  }

  // --- zips ------------------------------------------------------------------------------------

  private static boolean isZip(byte[] content) {
    return new Signature(0, "PK\u0003\u0004", "").in(content);
  }

  /** By its first entry, which every zip names in clear. */
  private static void checkExport(byte[] content) throws DamagedFileException {
    int name = 30;
    int length = content.length < name ? 0 : little(content).getShort(26) & 0xFFFF;
    int end = Math.min(content.length, name + length);
    String entry =
        new String(content, Math.min(name, end), Math.max(0, end - name), StandardCharsets.UTF_8);
    if (entry.endsWith("data.pkl") || entry.contains("/data/")) {
      throw new DamagedFileException("it is a PyTorch file (.pt, .pth, .bin); " + TO_SAFETENSORS);
    }
    if (entry.endsWith(".npy")) {
      throw new DamagedFileException("it is a file of NumPy arrays (.npz)");
    }
  }

  // --- safetensors -----------------------------------------------------------------------------

  /** A length below 2^31, and a JSON object. */
  private static boolean isSafetensors(byte[] content) {
    return content.length > Long.BYTES
        && content[Long.BYTES] == '{'
        && little(content).getLong(0) >>> 31 == 0;
  }

  // --- others ----------------------------------------------------------------------------------

  private static String other(byte[] content) {
    for (Signature signature : OTHERS) {
      if (signature.in(content)) {
        return "it is " + signature.what();
      }
    }
    if ((content[0] & 0xFF) == 0x80 && content.length > 1 && content[1] <= 5) {
      return "it is a Python pickle, as PyTorch wrote them (.pt, .pth, .bin); " + TO_SAFETENSORS;
    }
    if (isOnnx(content)) {
      return "it is an ONNX model (or another one in protocol buffers), which holds no names of a ViT's weights";
    }
    if (isText(content)) {
      return text(content);
    }
    return String.format(
        Locale.ROOT,
        "its %d bytes are no model that this job knows: those are checkpoints and kept models of a run, zips of export and, to begin from, weights in safetensors",
        content.length);
  }

  /** Protocol buffers that begin with a small number, ONNX's version, and go on with a text. */
  private static boolean isOnnx(byte[] content) {
    return content.length > 2
        && content[0] == 0x08
        && content[1] > 0
        && (content[2] & 7) == 2
        && content[2] > 8;
  }

  private static boolean isText(byte[] content) {
    for (int i = 0; i < Math.min(BEGINNING, content.length); i++) {
      if (content[i] >= 0 && content[i] < ' ' && "\t\n\r\f".indexOf(content[i]) < 0) {
        return false;
      }
    }
    return true;
  }

  private static String text(byte[] content) {
    String beginning =
        new String(content, 0, Math.min(BEGINNING, content.length), StandardCharsets.UTF_8)
            .replace("\ufeff", "")
            .strip();
    if (beginning.startsWith("version https://git-lfs")) {
      return "it is a pointer of Git LFS in place of the file; git lfs pull fetches the file itself";
    }
    if (beginning.startsWith("<")) {
      return "it is a web page or XML in place of the file; the download went wrong";
    }
    if (beginning.startsWith("{")) {
      return json(content);
    }
    return "it is a text and no model";
  }

  private static String json(byte[] content) {
    try {
      JsonNode shards =
          JSON.readTree(new String(content, StandardCharsets.UTF_8)).path("weight_map");
      if (shards.isObject()) {
        TreeSet<String> files = new TreeSet<>();
        shards.forEach(file -> files.add(file.asText()));
        return "it is the index of weights that lie in %s; give one file that holds them all (load_file of each, then save_file, of safetensors.torch)"
            .formatted(String.join(", ", files));
      }
    } catch (JsonProcessingException e) {
      // Reported as any other text.
    }
    return "it is a JSON text and no model";
  }

  private static ByteBuffer little(byte[] content) {
    return ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
  }
}
