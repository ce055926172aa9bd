package org.mixtraining.formats;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/** Format of a model file, detected from its first bytes, never from its name. */
public enum ModelFormat {
  /** A zip that {@code export} wrote. */
  EXPORT,
  /** A checkpoint or saved model of a run. */
  CHECKPOINT,
  /** Safetensors of another program. */
  WEIGHTS;

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Bytes of a text that are inspected. */
  private static final int BEGINNING = 512;

  private static final String TO_SAFETENSORS =
      "save its state_dict with safetensors.torch.save_file and give that file";

  /** Signatures of unsupported formats: bytes in Latin-1, and their offset. */
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
          new Signature(0, "\u001f\u008b", "compressed with gzip; decompress it first"),
          new Signature(0, "\u0028\u00b5\u002f\u00fd", "compressed with zstd; decompress it first"),
          new Signature(0, "\u00fd7zXZ", "compressed with xz; decompress it first"),
          new Signature(0, "BZh", "compressed with bzip2; decompress it first"));

  /**
   * @throws DamagedFileException if it is truncated, or of another format, which the message names
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
      return "it is an ONNX model (or another protocol buffer), which has no names for a ViT's weights";
    }
    if (isText(content)) {
      return text(content);
    }
    return "its %s bytes are not a supported model: checkpoints and saved models of a run, zips of export and, for train --init, weights in safetensors"
        .formatted(content.length);
  }

  /** A protocol buffer that starts with a small number, ONNX's version, followed by a text. */
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
      return "it is a Git LFS pointer instead of the file; git lfs pull fetches the file";
    }
    if (beginning.startsWith("<")) {
      return "it is a web page or XML instead of the file; the download failed";
    }
    if (beginning.startsWith("{")) {
      return json(content);
    }
    return "it is a text, not a model";
  }

  private static String json(byte[] content) {
    try {
      JsonNode shards =
          JSON.readTree(new String(content, StandardCharsets.UTF_8)).path("weight_map");
      if (shards.isObject()) {
        TreeSet<String> files = new TreeSet<>();
        shards.forEach(file -> files.add(file.asText()));
        return "it is the index of the weight shards %s; give one file with all weights (load_file of each, then save_file, of safetensors.torch)"
            .formatted(String.join(", ", files));
      }
    } catch (JsonProcessingException e) {
      // Reported as any other text.
    }
    return "it is JSON, not a model";
  }

  private static ByteBuffer little(byte[] content) {
    return ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
  }
}
