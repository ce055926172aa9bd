package org.mixtraining.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.ForkedJvm;

/** The Vector API of this and of other JDKs: it still changes from release to release. */
class VectorApiTest {
  private static final String MODULE = "jdk.incubator.vector";
  private static final String ADDED = "--add-modules=" + MODULE;

  /** Prints what a JVM chooses, and why. */
  static final class Choice {
    private Choice() {}

    public static void main(String[] args) {
      System.out.println(RowOps.Best.obstacle().orElse(""));
      System.out.println(RowOps.best().getClass().getSimpleName());
    }
  }

  @Test
  void withTheVectorModuleVectorsAreChosen() {
    assertThat(RowOps.Best.obstacle()).isEmpty();
    assertThat(RowOps.best()).isInstanceOf(VectorRowOps.class);
  }

  @Test
  void withoutTheVectorModuleTheJvmFallsBackToPlainJavaAndSaysWhichFlagIsMissing()
      throws Exception {
    String output = ForkedJvm.run(List.of(), Map.of(), Choice.class);
    assertThat(output).contains("ScalarRowOps", ADDED);
  }

  /** As if a new JDK had another name for a member, or no class with any of those we know. */
  @ParameterizedTest
  @ValueSource(strings = {"sqrt", "lane", "SPECIES_256", "fromByteBuffer fromMemorySegment"})
  void aVectorApiThatLacksAMemberMeansPlainJavaAndIsNamed(String members, @TempDir Path patch)
      throws Exception {
    String file = "jdk/incubator/vector/FloatVector.class";
    Module vectors = ModuleLayer.boot().findModule(MODULE).orElseThrow();
    try (InputStream original = vectors.getResourceAsStream(file)) {
      String bytes = new String(original.readAllBytes(), StandardCharsets.ISO_8859_1);
      for (String member : members.split(" ")) { // a name, which its length precedes
        bytes =
            bytes.replace((char) member.length() + member, (char) member.length() + other(member));
      }
      Path patched = patch.resolve(file);
      Files.createDirectories(patched.getParent());
      Files.writeString(patched, bytes, StandardCharsets.ISO_8859_1);
    }

    String output =
        ForkedJvm.run(
            List.of(ADDED, "--patch-module=" + MODULE + "=" + patch), Map.of(), Choice.class);

    assertThat(output)
        .contains("ScalarRowOps", "Vector API of Java " + Runtime.version().feature())
        .containsAnyOf(members.split(" "));
  }

  private static String other(String name) {
    return "X" + name.substring(1);
  }

  /** Or a JDK without it would end a training in its first step. */
  @Test
  void allThatIsCalledOfTheVectorApiIsTriedOut() {
    JavaClasses all =
        new ClassFileImporter()
            .withImportOption(location -> location.contains("/kernels/VectorRowOps"))
            .importPackages("org.mixtraining.kernels");
    Set<JavaCodeUnit> reached = new HashSet<>();
    for (JavaClass c : all) {
      c.getStaticInitializer().ifPresent(reached::add);
    }
    reached.add(all.get(VectorRowOps.class).getMethod("tryOut"));
    reached.add(all.get(VectorRowOps.class).getMethod("suitsProcessor"));
    boolean more = true;
    while (more) {
      more =
          reached.addAll(
              reached.stream()
                  .flatMap(unit -> unit.getCallsFromSelf().stream())
                  .flatMap(call -> call.getTarget().resolveMember().stream())
                  .collect(Collectors.toSet()));
    }

    assertThat(ofVectors(reached.stream()))
        .hasSizeGreaterThan(20)
        .isEqualTo(ofVectors(all.stream().flatMap(c -> c.getCodeUnits().stream())));
  }

  private static Set<String> ofVectors(Stream<? extends JavaCodeUnit> units) {
    return units
        .flatMap(unit -> unit.getAccessesFromSelf().stream())
        .filter(access -> access.getTargetOwner().getPackageName().equals(MODULE))
        .map(access -> access.getTarget().getFullName())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Prints the bits of all row operations, by code that is interpreted and by compiled code. */
  static final class Bits {
    private Bits() {}

    public static void main(String[] args) {
      bits(RowOps.best()).forEach(System.out::println);
      System.exit(0); // JavaCPP's threads
    }

    static List<String> bits(RowOps ops) {
      return Stream.of(0, 2000)
          .flatMap(before -> Stream.of(7, 8, 65, 203).map(cols -> bits(ops, before, cols)))
          .toList();
    }

    private static String bits(RowOps ops, int before, int cols) {
      for (int i = 0; i < before; i++) {
        RowOpsTest.bitsOfEveryOperation(ops, cols, 1);
      }
      return "%s of %s columns, after %s times: %s"
          .formatted(
              ops.getClass().getSimpleName(),
              cols,
              before,
              RowOpsTest.bitsOfEveryOperation(ops, cols, 1));
    }
  }

  /** {@code -Dother.java=/a/jdk}: its Vector API may take memory in another way. */
  @Test
  void anotherJavaGivesTheSameBits() throws Exception {
    String home = System.getProperty("other.java");
    assumeTrue(home != null, "no other Java: -Dother.java=HOME names one");

    String output =
        ForkedJvm.run(
            Path.of(home),
            List.of(ADDED, "-Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0"),
            Map.of(),
            Bits.class);

    assertThat(output.lines().filter(line -> line.startsWith("VectorRowOps")))
        .isEqualTo(Bits.bits(new VectorRowOps()));
  }
}
