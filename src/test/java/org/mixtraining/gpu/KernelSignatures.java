package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The parameters of the kernels, as their sources declare them, to which launches are held. */
final class KernelSignatures {
  /** The head of a kernel: its name and its parameters. */
  static final Pattern KERNEL =
      Pattern.compile(
          "^KERNEL (?:__launch_bounds__\\(.*\\)\\s+)?(\\w+)\\(([^)]*)\\) \\{", Pattern.MULTILINE);

  /** Structures that Java knows as arrays of their fields. */
  private static final Map<String, Memory.Type> FIELDS =
      Map.of(
          "Settings", Memory.Type.FLOAT,
          "BlockSettings", Memory.Type.FLOAT,
          "Mix", Memory.Type.FLOAT,
          "Edit", Memory.Type.DOUBLE,
          "uint8", Memory.Type.BYTE,
          "TensorRule", Memory.Type.INT,
          "long long", Memory.Type.INT, // two each
          "unsigned char", Memory.Type.BYTE);

  /**
   * @param written whether it points to what may be written
   */
  private record Parameter(String type, String name, boolean written) {}

  private final Map<String, List<Parameter>> kernels = new HashMap<>();
  private final Memory.Type matrixType;

  KernelSignatures(Memory.Type matrixType) {
    this.matrixType = matrixType;
    try (Stream<Path> files = Files.list(HostKernels.SOURCES)) {
      List<Path> sources = new ArrayList<>(files.toList());
      sources.add(HostKernels.SHIM.resolve("host.cpp"));
      for (Path file : sources) {
        KERNEL
            .matcher(Files.readString(file))
            .results()
            .forEach(kernel -> kernels.put(kernel.group(1), parameters(kernel.group(2))));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Parameter> parameters(String declared) {
    List<Parameter> parameters = new ArrayList<>();
    for (String one : declared.split(",")) {
      String whole = one.strip().replaceAll("\\s+", " ");
      String text = whole.replaceFirst("^const ", "");
      int name = text.lastIndexOf(' ');
      String type = text.substring(0, name);
      boolean written = type.endsWith("*") && whole.equals(text);
      parameters.add(new Parameter(type, text.substring(name + 1), written));
    }
    return parameters;
  }

  boolean knows(String kernel) {
    return kernels.containsKey(kernel);
  }

  /** The names of a kernel's parameters. */
  List<String> names(String kernel) {
    return kernels.get(kernel).stream().map(Parameter::name).toList();
  }

  /** Whether a kernel may write to what an argument points to. */
  boolean writes(String kernel, int argument) {
    return kernels.get(kernel).get(argument).written;
  }

  /** Fails unless a kernel's parameters are of these arguments' types. */
  void check(String kernel, Object... arguments) {
    List<Parameter> parameters = kernels.get(kernel);
    assertThat(parameters).as("the kernel %s", kernel).isNotNull();
    assertThat(arguments).as("arguments of %s, %s", kernel, parameters).hasSameSizeAs(parameters);
    for (int i = 0; i < arguments.length; i++) {
      Parameter parameter = parameters.get(i);
      assertThat(fits(parameter.type, arguments[i]))
          .as("%s: %s is no %s %s", kernel, arguments[i], parameter.type, parameter.name)
          .isTrue();
    }
  }

  private boolean fits(String type, Object argument) {
    return switch (type) {
      case "int" -> argument instanceof Integer;
      case "long", "long long" -> argument instanceof Long;
      case "float" -> argument instanceof Float;
      default ->
          argument instanceof Memory memory
              && (memory.equals(Memory.NONE)
                  || memory.type() == pointed(type.substring(0, type.length() - 1)));
    };
  }

  private Memory.Type pointed(String type) {
    return switch (type) {
      case "float" -> Memory.Type.FLOAT;
      case "double" -> Memory.Type.DOUBLE;
      case "int" -> Memory.Type.INT;
      case "matrix", "word" -> matrixType;
      default -> FIELDS.get(type);
    };
  }
}
