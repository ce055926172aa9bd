package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/**
 * The arguments of launches in Java's sources against the names of the kernels' parameters: two of
 * one type that change places would be found by no compiler.
 */
class LaunchNamesTest {
  private static final List<Path> SOURCES =
      List.of(Path.of("src/main/java/org/mixtraining/gpu"), Path.of("src/gpu/java"));

  /** What launches a kernel, with the place of the first of its arguments. */
  private static final Map<String, Integer> LAUNCHERS =
      Map.of("launch", 4, "each", 2, "fours", 2, "rows", 2, "warps", 2, "slices", 1);

  /** The kernels of launches whose name is not written there. */
  private static final Map<String, String> NAMED =
      Map.of(
          "launch.kernel",
          "tensor_attention",
          "launch.kernel + \"_backward\"",
          "tensor_attention_backward");

  /** What Java calls by other words than the kernels, each said by their comments. */
  private static final Map<String, Set<String>> OTHERWISE =
      Map.ofEntries(
          Map.entry("colour", Set.of("channel")),
          Map.entry("col", Set.of("vector")),
          Map.entry("copy", Set.of("rounded", "to")),
          Map.entry("count", Set.of("part", "slice", "hidden")),
          Map.entry("d", Set.of("slice", "gradient")),
          Map.entry("edit", Set.of("ops")),
          Map.entry("eps", Set.of("epsilon")),
          Map.entry("factor", Set.of("clip")),
          Map.entry("g", Set.of("gradient")),
          Map.entry("keep", Set.of("residual")),
          Map.entry("learned", Set.of("position")),
          Map.entry("most", Set.of("length")),
          Map.entry("n", Set.of("count")),
          Map.entry("next", Set.of("other")),
          Map.entry("p", Set.of("value")),
          Map.entry("part", Set.of("square")),
          Map.entry("partner", Set.of("other")),
          Map.entry("place", Set.of("picked")),
          Map.entry("run", Set.of("seed")),
          Map.entry("side", Set.of("patch")),
          Map.entry("size", Set.of("height")),
          Map.entry("stream", Set.of("seed")),
          Map.entry("stride", Set.of("vector")),
          Map.entry("sum", Set.of("vector")),
          Map.entry("token", Set.of("mask")),
          Map.entry("wanted", Set.of("kind")),
          Map.entry("x", Set.of("from")),
          Map.entry("y", Set.of("token")));

  @Test
  void argumentsGoByTheNamesOfParameters() throws IOException {
    KernelSignatures signatures = new KernelSignatures(Memory.Type.BF16);
    Set<String> seen = new TreeSet<>();
    List<String> strange = new ArrayList<>();
    for (MethodInvocationTree call : calls()) {
      String method = call.getMethodSelect().toString().replaceAll(".*\\.", "");
      int first = LAUNCHERS.getOrDefault(method, Integer.MAX_VALUE);
      List<? extends ExpressionTree> all = call.getArguments();
      if (first >= all.size() || !signatures.knows(kernel(all.get(0)))) {
        continue;
      }
      String kernel = kernel(all.get(0));
      seen.add(kernel);
      List<String> names = signatures.names(kernel);
      List<? extends ExpressionTree> arguments = all.subList(first, all.size());
      assertThat(arguments).as(kernel).hasSameSizeAs(names);
      for (int i = 0; i < names.size(); i++) {
        String argument = arguments.get(i).toString();
        if (!says(words(argument), words(names.get(i)))) {
          strange.add("%s, %s: %s".formatted(kernel, names.get(i), argument));
        }
      }
    }
    assertThat(strange).isEmpty();
    assertThat(seen).as("all but those which are launched by computed names").hasSize(32);
  }

  private static boolean says(Set<String> argument, Set<String> name) {
    return name.stream()
        .allMatch(
            word ->
                argument.contains(word)
                    || OTHERWISE.getOrDefault(word, Set.of()).stream()
                        .anyMatch(argument::contains));
  }

  /** Those of {@code dQkv} or {@code MASK_TOKEN}, in the singular. */
  private static Set<String> words(String text) {
    Set<String> words = new TreeSet<>();
    for (String word : text.split("[^A-Za-z]+|(?<=[a-z])(?=[A-Z])")) {
      String lower = word.toLowerCase(Locale.ROOT);
      words.add(lower.length() > 3 ? lower.replaceFirst("s$", "") : lower);
    }
    return words;
  }

  private static String kernel(ExpressionTree name) {
    return name instanceof LiteralTree literal
        ? literal.getValue().toString()
        : NAMED.getOrDefault(name.toString(), "");
  }

  private static List<MethodInvocationTree> calls() throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path source : SOURCES) {
      try (Stream<Path> all = Files.walk(source)) {
        all.filter(file -> file.toString().endsWith(".java")).forEach(files::add);
      }
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    List<MethodInvocationTree> calls = new ArrayList<>();
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null, manager, null, null, null, manager.getJavaFileObjectsFromPaths(files));
      new TreeScanner<Void, Void>() {
        @Override
        public Void visitMethodInvocation(MethodInvocationTree call, Void none) {
          calls.add(call);
          return super.visitMethodInvocation(call, none);
        }
      }.scan(task.parse(), null);
    }
    return calls;
  }
}
