package org.mixtraining.cli;

import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.apache.commons.lang3.function.Failable;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.security.AccessControlException;
import org.apache.hadoop.util.ShutdownHookManager;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.spark.SparkUserAppException;
import org.mixtraining.checkpoint.RunHeldException;
import org.mixtraining.config.Causes;
import org.mixtraining.config.Location;
import org.mixtraining.config.Secrets;
import org.mixtraining.config.UserException;
import org.mixtraining.jobs.InterruptedRunException;
import org.mixtraining.jobs.Versions;
import org.mixtraining.results.RunRow;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.TypeConversionException;

/** The job's main class, for spark-submit as for the embedded Spark. */
@Command(
    name = "mixtraining",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    description =
        "Trains a Vision Transformer on Spark by interleaving self-supervised and supervised epochs.",
    subcommands = {
      PrepareCommand.class,
      TrainCommand.class,
      CompareCommand.class,
      EvaluateCommand.class,
      PredictCommand.class,
      ExportCommand.class,
      ReportCommand.class,
      SqlCommand.class,
      BenchCommand.class,
      ResourcesCommand.class
    },
    footerHeading = "%nEnvironment of submit/mixtraining:%n",
    footer = {
      "  SPARK_HOME  Spark installation whose spark-submit is used; if unset, the embedded Spark",
      "  MASTER      local, local[cores], local[*], local[cores,failures],",
      "              local-cluster[executors,cores,MB] or spark://host:port",
      "  MIXTRAINING_DRIVER_MEMORY    heap of the driver, default 2g",
      "  MIXTRAINING_SUBMIT_OPTIONS   more options for spark-submit"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed",
      "2:bad input: arguments, configuration or data",
      "3:interrupted; run the same command to resume",
      "4:another process is training this run; try again later"
    })
public final class Main {

  private static final String COMMAND = "sun.java.command";
  private static final int DONE = 0;
  private static final int FAILED = 1;
  private static final int BAD_INPUT = 2;
  private static final int INTERRUPTED = 3;
  private static final int HELD = 4;

  private Main() {}

  /**
   * Runs a command and ends the process with its exit code. A process that is not its own, with
   * somebody's Spark session in it or YARN's ApplicationMaster, which takes any exit for a failure,
   * goes on; there a failure is thrown.
   *
   * @throws SparkUserAppException that says the exit code, if it is not 0
   */
  public static void main(String[] args) throws SparkUserAppException {
    if (!Sessions.isGuest()) {
      // Spark writes all properties of the process into the event log, and this one is the command.
      System.setProperty(COMMAND, Secrets.inCommand(System.getProperty(COMMAND, ""), args));
    }
    if (Sessions.isGuest() || System.getProperty("spark.yarn.app.id") != null) {
      int code = run(args);
      if (code != DONE) {
        throw ended(code);
      }
      return;
    }
    // Spark and Hadoop write numbers into names and addresses by it.
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    Account.named();
    deleteOwnDirectoryAtExit();
    int code = run(args);
    if (code != DONE) {
      // Whatever Spark has to say of its going is not the reason.
      Configurator.setAllLevels("", Level.OFF);
    }
    System.exit(code);
  }

  /** By reflection, since Spark 4.2 gives it a cause besides. */
  private static SparkUserAppException ended(int code) {
    Constructor<?> constructor = SparkUserAppException.class.getConstructors()[0];
    Object[] arguments = Arrays.copyOf(new Object[] {code}, constructor.getParameterCount());
    return (SparkUserAppException) Failable.call(() -> constructor.newInstance(arguments));
  }

  /** The directory that submit/mixtraining made for this start, once Spark has left it. */
  private static void deleteOwnDirectoryAtExit() {
    String own = System.getProperty("mixtraining.home");
    if (own != null) {
      ShutdownHookManager.get().addShutdownHook(() -> FileUtil.fullyDelete(new File(own)), 0);
    }
  }

  static int run(String... args) {
    CommandLine commands = new CommandLine(new Main());
    commands.setExecutionExceptionHandler(Main::failed);
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    commands.registerConverter(Path.class, Main::file);
    commands.setParameterExceptionHandler(Main::badArguments);
    if (lost()) {
      System.err.printf(
          "error: the arguments have letters that Java cannot read in this locale, whose encoding is %s; set LC_ALL=C.UTF-8%n",
          Location.FILE_NAMES);
      return BAD_INPUT;
    }
    if (args.length == 0) {
      commands.usage(System.err);
      return BAD_INPUT;
    }
    try {
      int code = commands.execute(args);
      return code == DONE ? delivered() : code;
    } catch (Error e) { // as Hadoop makes one of a full disk
      return failed(args[0], e);
    }
  }

  /** Whether standard output took what was printed; one whose reader has seen enough did. */
  private static int delivered() {
    if (!System.out.checkError()) {
      return DONE;
    }
    try {
      new FileOutputStream(FileDescriptor.out).write('\n'); // PrintStream does not keep the reason
      System.err.println("failed: standard output did not accept the whole result");
    } catch (IOException e) {
      if (String.valueOf(e.getMessage()).contains("Broken pipe")) {
        return DONE;
      }
      System.err.println("failed: standard output cannot be written: " + Causes.reason(e));
    }
    return FAILED;
  }

  /** What no person can mend: its trace for the log, and why in the last line. */
  private static int failed(String command, Throwable e) {
    LoggerFactory.getLogger(Main.class).error("{} failed", command, e);
    System.err.println("failed: " + Causes.reason(e));
    return FAILED;
  }

  /** Whether letters beyond ASCII came as question marks. */
  private static boolean lost() {
    if (!Location.FILE_NAMES.equals(StandardCharsets.US_ASCII)) {
      return false;
    }
    try {
      byte[] given = Files.readAllBytes(Path.of("/proc/self/cmdline"));
      return !StandardCharsets.US_ASCII
          .newEncoder()
          .canEncode(new String(given, StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      return false; // no Linux: its locales are UTF-8
    }
  }

  private static Path file(String given) {
    try {
      return Location.file(given);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(given + ": " + e.getMessage());
    }
  }

  private static int badArguments(ParameterException e, String[] args) {
    System.err.println("error: " + e.getMessage());
    CommandLine.UnmatchedArgumentException.printSuggestions(e, e.getCommandLine().getErr());
    System.err.printf("see '%s --help'%n", e.getCommandLine().getCommandSpec().qualifiedName());
    return BAD_INPUT;
  }

  /** Says what went wrong: a line a problem where a person can mend it, else with its trace. */
  private static int failed(Exception e, CommandLine command, ParseResult parsed) {
    if (e instanceof InterruptedRunException) {
      System.err.println(e.getMessage());
      return INTERRUPTED;
    }
    var held = Causes.of(e).filter(RunHeldException.class::isInstance).findFirst();
    if (held.isPresent()) {
      System.err.println("held: " + held.get().getMessage());
      return HELD;
    }
    var mendable =
        Causes.of(e)
            .filter(UserException.class::isInstance)
            .map(UserException.class::cast)
            .findFirst();
    if (mendable.isPresent()) {
      mendable.get().problems().forEach(problem -> System.err.println("error: " + problem));
      return BAD_INPUT;
    }
    int code = failed(command.getCommandName(), e);
    return Causes.of(e).anyMatch(Main::isDenied) ? BAD_INPUT : code;
  }

  /** What file systems say to a user who may not read or write there: an object store only then. */
  private static boolean isDenied(Throwable cause) {
    return cause instanceof AccessDeniedException || cause instanceof AccessControlException;
  }

  /** The lines of {@code --version}. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      RunRow.Versions versions = Versions.provenance();
      return new String[] {
        "mixtraining " + versions.jobVersion(),
        "Spark " + versions.sparkVersion(),
        "Deeplearning4j " + versions.dl4jVersion(),
        "Java " + versions.javaVersion()
      };
    }
  }
}
