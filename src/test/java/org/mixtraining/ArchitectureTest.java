package org.mixtraining;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.kernels.WorkerThreads;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The packages are floors of a house: each imports only those below it. */
class ArchitectureTest {
  /** From the ground up. */
  private static final List<String> FLOORS =
      List.of(
          "config",
          "files",
          "schedule",
          "kernels",
          "vit",
          "data",
          "formats",
          "train",
          "gpu",
          "run",
          "spark",
          "results",
          "checkpoint",
          "tracking",
          "jobs",
          "api",
          "ml",
          "report",
          "cli");

  private static final String[] ND4J = {"org.nd4j..", "org.deeplearning4j.."};

  private static JavaClasses ours;

  @BeforeAll
  static void read() {
    ours =
        new ClassFileImporter()
            .importUrl(WorkerThreads.class.getProtectionDomain().getCodeSource().getLocation());
  }

  static List<String> floors() {
    return FLOORS;
  }

  @ParameterizedTest
  @MethodSource("floors")
  void aFloorKnowsNoFloorAboveIt(String floor) {
    List<String> above = FLOORS.subList(FLOORS.indexOf(floor) + 1, FLOORS.size());

    check(
        noClasses()
            .that()
            .resideInAPackage(inside(floor))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(inside(above)));
  }

  @Test
  void everyClassIsOnAFloor() {
    check(classes().should().resideInAnyPackage(inside(FLOORS)));
  }

  @Test
  void packagesFormNoCycle() {
    check(slices().matching("org.mixtraining.(*)..").should().beFreeOfCycles());
  }

  @Test
  void roomsWithinAPackageKnowOnlyThoseBelowThem() {
    knowsNot("data.images", "data", "data.sources", "data.prepare", "data.preview");
    knowsNot("data.augment", "data", "data.sources", "data.prepare", "data.preview");
    knowsNot("data", "data.sources", "data.prepare", "data.preview");
    knowsNot("data.sources", "data.prepare", "data.preview");
    knowsNot("data.prepare", "data.preview");
    knowsNot("report.chart", "report");
    knowsNot("spark.dl4j", "spark");
    knowsNot("spark.exchange", "spark");
    knowsNot("vit.optim", "vit.state");
    knowsNot("vit.layers", "vit.optim", "vit.state");
  }

  private static void knowsNot(String room, String... others) {
    check(
        noClasses()
            .that()
            .resideInAPackage("org.mixtraining." + room)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                Stream.of(others).map("org.mixtraining."::concat).toArray(String[]::new)));
  }

  @Test
  void aRunAndWhatLiesBelowItDoNotKnowSpark() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage(
                inside(
                    List.of(
                        "config", "schedule", "kernels", "vit", "formats", "train", "gpu", "run")))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.spark..", "org.deeplearning4j.spark.."));
  }

  @Test
  void onlyCommandsKnowTheCommandLine() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage(inside("cli"))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("picocli.."));
  }

  @Test
  void onlyTheAdapterKnowsDl4jSpark() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage(inside("spark.dl4j"))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.deeplearning4j.spark.."));
  }

  @Test
  void tablesCheckpointsAndTrackersDoNotKnowWhereEpochsAreTrained() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage(inside(List.of("results", "checkpoint", "tracking")))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(inside("spark")));
  }

  @Test
  void onlyModelTrainingAndSparkKnowDeeplearning4j() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackages(
                inside(List.of("kernels", "vit", "formats", "train", "gpu", "run", "spark")))
            .should()
            .dependOnClassesThat(
                resideInAnyPackage(ND4J).and(not(resideInAPackage("org.nd4j.shade.protobuf..")))));
  }

  @Test
  void trainAndSparkPassModelsAndMinibatchesOnAndLeaveArithmeticToTheModel() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage(inside(List.of("train", "gpu", "run", "spark")))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                "org.nd4j.linalg.api.ops..",
                "org.nd4j.linalg.factory..",
                "org.deeplearning4j.nn.layers..",
                "org.deeplearning4j.nn.conf.layers..")
            .orShould()
            .callMethodWhere(target(owner(type(INDArray.class))).and(not(target(name("size"))))));
  }

  /**
   * Files of strangers are data: nothing here makes objects of them. Nor are the parsers reached
   * that ND4J brings in old versions.
   */
  @Test
  void noFileIsDeserialised() {
    check(
        noClasses()
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.io.ObjectInputStream")
            .orShould()
            .dependOnClassesThat()
            .resideInAnyPackage(
                "org.nd4j.shade.yaml..",
                "org.nd4j.shade.jackson.dataformat..",
                "org.nd4j.shade.wstx..",
                "org.apache.commons.net..",
                "com.esotericsoftware.kryo.."));
  }

  /**
   * Pools that the JDK sizes or shares end a training at random: one that may not grow refuses work
   * while a thread waits. What computes in parallel does so by {@code kernels.WorkerThreads}.
   */
  @Test
  void nothingIsComputedOnThreadsThatTheJdkHandsOut() {
    check(
        noClasses()
            .should()
            .dependOnClassesThat()
            .haveNameMatching(
                "java\\.util\\.concurrent\\.(ForkJoin.*|Recursive.*|CountedCompleter)")
            .orShould()
            .accessTargetWhere(HANDS_OUT_THREADS));
  }

  private static final DescribedPredicate<JavaAccess<?>> HANDS_OUT_THREADS =
      DescribedPredicate.describe(
          "runs on threads that the JDK hands out",
          access -> {
            AccessTarget target = access.getTarget();
            String owner = target.getOwner().getName();
            String name = target.getName();
            return owner.startsWith("java.util.")
                && (name.startsWith("parallel") // Arrays, streams and collections
                    || name.equals("newWorkStealingPool")
                    || name.equals("newCachedThreadPool")
                    || (owner.endsWith(".CompletableFuture") && name.endsWith("Async")));
          });

  @Test
  void everyPackageTellsItsStory() throws IOException {
    try (Stream<Path> sources = Files.walk(Path.of("src/main/java/org/mixtraining"))) {
      List<Path> packages =
          sources
              .filter(file -> file.toString().endsWith(".java"))
              .map(Path::getParent)
              .distinct()
              .toList();

      assertThat(packages)
          .isNotEmpty()
          .allSatisfy(
              directory -> assertThat(directory.resolve("package-info.java")).isNotEmptyFile());
    }
  }

  @Test
  void everySummarySaysWhatTheClassIs() throws IOException {
    assertThat(sources())
        .isNotEmpty()
        .allSatisfy(
            file ->
                assertThat(summary(file))
                    .as("%s begins with what the class is, not with a riddle", file)
                    .isNotEmpty()
                    .doesNotMatch(
                        "(?s)(What|Where|How|Which|Whether|Something|Who|When|Why)\\b.*"));
  }

  /**
   * The same jar runs on Spark 3.5 and 4. Their Scala means different types by {@code Seq}, and the
   * rest are other names that do not mean the same in both.
   */
  @Test
  void nothingIsCalledThatSpark4HasUnderAnotherType() {
    check(noClasses().should().accessTargetWhere(OF_ONE_SPARK));
  }

  private static final DescribedPredicate<JavaAccess<?>> OF_ONE_SPARK =
      DescribedPredicate.describe(
          "is of Spark 3.5 or of Spark 4 alone",
          access -> {
            AccessTarget target = access.getTarget();
            String owner = target.getOwner().getName();
            return (owner.equals("org.apache.spark.SparkUserAppException")
                    && target.getName().equals("<init>"))
                || owner.equals("org.apache.spark.sql.connector.catalog.CatalogManager")
                || owner.startsWith("scala.collection.convert.")
                || (owner.startsWith("org.apache.spark.")
                    && target instanceof AccessTarget.CodeUnitAccessTarget called
                    && Stream.concat(
                            called.getRawParameterTypes().stream(),
                            Stream.of(called.getRawReturnType()))
                        .anyMatch(type -> type.getName().equals("scala.collection.Seq")));
          });

  /**
   * The order of {@code Map.of} is another in each JVM: a file of it would not have the same bits.
   */
  @Test
  void whatIsWrittenAsJsonHasAnOrder() {
    List<String> unordered =
        ours.stream()
            .filter(
                writer ->
                    uses(writer, "com.fasterxml.jackson.databind.json.JsonMapper")
                        || uses(writer, "com.fasterxml.jackson.databind.ObjectMapper"))
            .filter(
                writer ->
                    writer.getMethodCallsFromSelf().stream()
                        .map(call -> call.getTarget())
                        .anyMatch(
                            called ->
                                called.getOwner().isEquivalentTo(Map.class)
                                    && called.getName().equals("of")
                                    && called.getRawParameterTypes().size() > 2))
            .filter(
                writer ->
                    writer.getFieldAccessesFromSelf().stream()
                        .noneMatch(
                            read -> read.getTarget().getName().equals("ORDER_MAP_ENTRIES_BY_KEYS")))
            .map(JavaClass::getName)
            .toList();

    assertThat(unordered).as("writers of JSON that call Map.of").isEmpty();
  }

  private static boolean uses(JavaClass user, String name) {
    return user.getDirectDependenciesFromSelf().stream()
        .anyMatch(known -> known.getTargetClass().getName().equals(name));
  }

  @Test
  void classesAreShortOrSayWhyNot() throws IOException {
    for (Path file : sources()) {
      if (Files.readAllLines(file).size() > 300) {
        assertThat(summary(file))
            .as("%s is longer than 300 lines: its first sentence says why", file)
            .contains("in one class");
      }
    }
  }

  @Test
  void noRoomIsCrowded() throws IOException {
    Map<Path, Long> rooms =
        sources().stream()
            .filter(file -> !file.endsWith("package-info.java"))
            .collect(Collectors.groupingBy(Path::getParent, Collectors.counting()));

    assertThat(rooms).allSatisfy((room, files) -> assertThat(files).isLessThan(30));
  }

  private static List<Path> sources() throws IOException {
    try (Stream<Path> sources = Files.walk(Path.of("src/main/java/org/mixtraining"))) {
      return sources.filter(file -> file.toString().endsWith(".java")).toList();
    }
  }

  /** The first sentence of a file's first Javadoc, which is the top-level class's. */
  private static String summary(Path file) throws IOException {
    String text = Files.readString(file);
    int from = text.indexOf("/**");
    int to = text.indexOf("*/", from);
    String doc = text.substring(from + 3, to).replaceAll("\\n \\* ?", " ").strip();
    return doc.split("\\. |\\.$", 2)[0];
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(ours);
  }

  private static String inside(String floor) {
    return "org.mixtraining." + floor + "..";
  }

  private static String[] inside(List<String> floors) {
    return floors.stream().map(ArchitectureTest::inside).toArray(String[]::new);
  }
}
