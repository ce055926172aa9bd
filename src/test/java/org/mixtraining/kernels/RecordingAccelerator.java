package org.mixtraining.kernels;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;

/**
 * Stands in for a library that computes on GPUs: it computes on the CPU, and notes what it is bound
 * to in a file of the directory that the system property {@code mixtraining.double} names.
 */
public final class RecordingAccelerator implements Accelerator {
  private static final String NAME = "double";
  private static final ThreadLocal<String> BOUND = new ThreadLocal<>();

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void bind(String address) {
    BOUND.set(address);
    Path directory = Path.of(System.getProperty("mixtraining.double"));
    String line = address + (arraysExist() ? " late" : " first") + System.lineSeparator();
    try {
      Files.writeString(
          directory.resolve("bound-" + ProcessHandle.current().pid()),
          line,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public boolean holdsEveryArray() {
    return true;
  }

  @Override
  public Engine engine() {
    if (BOUND.get() == null) {
      throw new IllegalStateException("an engine was asked for before the thread was bound");
    }
    return Engine.cpu(1);
  }

  /** Whether ND4J has begun its work in this process, by which time it has chosen its device. */
  @SuppressWarnings({"removal", "deprecation"})
  private static boolean arraysExist() {
    try {
      var field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
      field.setAccessible(true);
      ClassLoader loader = RecordingAccelerator.class.getClassLoader();
      return !((sun.misc.Unsafe) field.get(null))
          .shouldBeInitialized(Class.forName("org.nd4j.linalg.factory.Nd4j", false, loader));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A jar that makes a double the accelerator of whoever has it on its class path. */
  public static Path jar(Path directory, Class<? extends Accelerator> accelerator)
      throws IOException {
    Path jar = directory.resolve("double.jar");
    try (var out = new JarOutputStream(Files.newOutputStream(jar))) {
      add(out, accelerator);
      for (Class<?> nested : accelerator.getDeclaredClasses()) {
        add(out, nested);
      }
      out.putNextEntry(new JarEntry("META-INF/services/" + Accelerator.class.getName()));
      out.write(accelerator.getName().getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
    return jar;
  }

  private static void add(JarOutputStream out, Class<?> type) throws IOException {
    String file = type.getName().replace('.', '/') + ".class";
    try (var code = type.getClassLoader().getResourceAsStream(file)) {
      out.putNextEntry(new JarEntry(file));
      code.transferTo(out);
    }
  }
}
