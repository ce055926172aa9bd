package org.mixtraining.config;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.DoublePredicate;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.mixtraining.config.Augment.Range;
import org.mixtraining.config.JobConfig.Averaging;
import org.mixtraining.config.JobConfig.Betas;
import org.mixtraining.config.JobConfig.Checkpoint;
import org.mixtraining.config.JobConfig.Data;
import org.mixtraining.config.JobConfig.Decoder;
import org.mixtraining.config.JobConfig.Device;
import org.mixtraining.config.JobConfig.EarlyStopping;
import org.mixtraining.config.JobConfig.Epochs;
import org.mixtraining.config.JobConfig.Evaluation;
import org.mixtraining.config.JobConfig.Exchange;
import org.mixtraining.config.JobConfig.Init;
import org.mixtraining.config.JobConfig.InitParts;
import org.mixtraining.config.JobConfig.Mix;
import org.mixtraining.config.JobConfig.MixMode;
import org.mixtraining.config.JobConfig.MixPass;
import org.mixtraining.config.JobConfig.Model;
import org.mixtraining.config.JobConfig.Optimizer;
import org.mixtraining.config.JobConfig.Pipeline;
import org.mixtraining.config.JobConfig.Pooling;
import org.mixtraining.config.JobConfig.Positions;
import org.mixtraining.config.JobConfig.Precision;
import org.mixtraining.config.JobConfig.Run;
import org.mixtraining.config.JobConfig.Span;
import org.mixtraining.config.JobConfig.Synthetic;
import org.mixtraining.config.JobConfig.Tracking;
import org.mixtraining.config.JobConfig.Workers;

/** Makes a {@link JobConfig} of settings: what is allowed for each key is said here. */
final class JobConfigReader {
  private static final List<String> FORMATS =
      List.of("cifar10", "cifar100", "tinyimagenet", "folder", "idx", "parquet", "synthetic");
  private static final Pattern PAIR = Pattern.compile("\\[([^,]+),([^,]+)]");
  private static final Pattern ADDRESS = Pattern.compile("(https?://[^@\\s]+)?");
  private static final Pattern RUN_ID = Pattern.compile("([A-Za-z0-9][A-Za-z0-9._-]*)?");

  private final Settings settings;

  JobConfigReader(Settings settings) {
    this.settings = settings;
  }

  JobConfig read() {
    String preset = oneOf("model.preset", List.of("vit-tiny", "vit-micro", "vit-nano"));
    Pipeline pipeline = choice("pipeline", Pipeline.class);
    double maskRatio = number("model.mask-ratio", v -> 0 < v && v < 1, "in (0, 1)");
    String format = oneOf("data.format", FORMATS);
    MixPass pass = choice("mix.pass", MixPass.class);
    dependentDefaults(preset, pipeline, pass, maskRatio, format);
    JobConfig config =
        new JobConfig(
            run(),
            data(format),
            model(preset, maskRatio),
            new Init(
                place("init.model", "a file, or empty"), choice("init.parts", InitParts.class)),
            pipeline,
            epochs(),
            mix(pass),
            optimizer(),
            new Evaluation(whole("evaluation.every", 1)),
            earlyStopping(),
            augment(),
            averaging(),
            workers(),
            new Checkpoint(whole("checkpoint.every", 1), whole("checkpoint.keep", 1)),
            tracking());
    compare(config);
    settings.check();
    return config;
  }

  private void dependentDefaults(
      String preset, Pipeline pipeline, MixPass pass, double maskRatio, String format) {
    settings.byDefault(
        "data.image-size",
        switch (format) {
          case "tinyimagenet", "folder", "parquet" -> 64;
          case "idx" -> 28;
          default -> 32;
        });
    settings.byDefault(
        "model.decoder.dim",
        switch (preset) {
          case "vit-micro" -> 96;
          case "vit-nano" -> 48;
          default -> 192;
        });
    settings.byDefault(
        "model.decoder.depth",
        switch (preset) {
          case "vit-micro" -> 2;
          case "vit-nano" -> 1;
          default -> 4;
        });
    boolean ssat = pipeline == Pipeline.SSAT;
    settings.byDefault("model.pooling", ssat ? "cls" : "mean");
    settings.byDefault("model.norm-pix", !ssat);
    settings.byDefault("mix.alpha", ssat ? "constant(0.9)" : "linear(1->0)");
    boolean grows = !ssat && pass == MixPass.VISIBLE;
    Curve mask = grows ? new Curve(Curve.Shape.LINEAR, maskRatio, 0) : Curve.constant(maskRatio);
    settings.byDefault("mix.mask-ratio", mask.toString());
  }

  private Run run() {
    return new Run(
        text(
            "run.id",
            id -> RUN_ID.matcher(id).matches(),
            "letters, digits and . _ - with a letter or digit first, or empty"),
        settings.read("run.seed", Long::valueOf, seed -> true, "a 64-bit whole number"),
        path("run.output"));
  }

  private Data data(String format) {
    return new Data(
        format,
        place("data.source", "a directory"),
        path("data.path"),
        place("data.ssl", "a path, or empty"),
        settings.read("data.tasks", TaskList::parse, TaskList::allowed, TaskList.RANGE),
        format.equals("parquet")
            ? text("data.label", name -> !name.isBlank(), "fine, coarse or the name of a column")
            : oneOf("data.label", List.of("fine", "coarse")),
        text("data.image", name -> true, "the name of a column, or empty"),
        whole(
            "data.image-size", side -> side >= 1 && side <= 1024, "a whole number from 1 to 1024"),
        whole("data.shards", 1),
        number("data.test", v -> 0 < v && v < 1, "in (0, 1)"),
        number("data.validation", v -> 0 <= v && v < 1, "in [0, 1)"),
        number("data.max-bad-fraction", v -> 0 <= v && v <= 1, "in [0, 1]"),
        whole("data.max-pixels", 1),
        settings.read("data.seed", Long::valueOf, seed -> true, "a 64-bit whole number"),
        number("data.fraction", v -> 0 < v && v <= 1, "in (0, 1]"),
        number("data.label-fraction", v -> 0 < v && v <= 1, "in (0, 1]"),
        flag("data.reshuffle"),
        new Synthetic(whole("data.synthetic.train", 1), whole("data.synthetic.test", 1)));
  }

  private Model model(String preset, double maskRatio) {
    return new Model(
        preset,
        whole("model.patch", 1),
        choice("model.pooling", Pooling.class),
        maskRatio,
        flag("model.norm-pix"),
        number("model.drop-path", v -> 0 <= v && v < 1, "in [0, 1)"),
        choice("model.positions", Positions.class),
        new Decoder(
            whole(
                "model.decoder.dim", dim -> dim > 0 && dim % 12 == 0, "a positive multiple of 12"),
            whole("model.decoder.depth", 1)));
  }

  private Epochs epochs() {
    return new Epochs(whole("epochs.ssl", 0), whole("epochs.sl", 0));
  }

  private Mix mix(MixPass pass) {
    return new Mix(
        number("mix.ratio", v -> 0 <= v && v <= 1, "in [0, 1]"),
        choice("mix.mode", MixMode.class),
        pass,
        curve("mix.alpha", v -> 0 <= v && v <= 1, "in [0, 1]"),
        curve("mix.mask-ratio", v -> 0 <= v && v < 1, "in [0, 1)"),
        number("mix.lambda", v -> 0 <= v && v <= 1, "in [0, 1]"));
  }

  private Optimizer optimizer() {
    return new Optimizer(
        number("optimizer.base-lr", v -> v > 0, "above 0"),
        number("optimizer.min-lr", v -> v >= 0, "at least 0"),
        number("optimizer.warmup", v -> v >= 0, "at least 0 epochs"),
        choice("optimizer.schedule", Span.class),
        number("optimizer.weight-decay", v -> v >= 0, "at least 0"),
        number("optimizer.layer-decay", v -> 0 < v && v <= 1, "in (0, 1]"),
        betas("optimizer.ssl-betas"),
        betas("optimizer.sl-betas"),
        whole("optimizer.batch-size", 1),
        number("optimizer.clip", v -> v >= 0, "at least 0"),
        number("optimizer.label-smoothing", v -> 0 <= v && v < 1, "in [0, 1)"));
  }

  /** Where it is not said, a run cools down as long as it has waited. */
  private EarlyStopping earlyStopping() {
    int patience = whole("early-stopping.patience", 0);
    settings.byDefault("early-stopping.cooldown", patience);
    return new EarlyStopping(patience, whole("early-stopping.cooldown", 0));
  }

  private Augment augment() {
    return new Augment(
        images("augment.ssl."),
        images("augment.sl."),
        number("augment.mixup", v -> v >= 0, "at least 0"),
        number("augment.cutmix", v -> v >= 0, "at least 0"));
  }

  private Augment.Images images(String block) {
    return new Augment.Images(
        new Augment.ResizedCrop(
            range(
                block + "random-resized-crop.scale",
                scale -> 0 < scale.low() && scale.high() <= 1,
                "two ascending numbers in (0, 1], as [0.2, 1]"),
            range(
                block + "random-resized-crop.ratio",
                ratio -> 0 < ratio.low() && ratio.high() < Double.POSITIVE_INFINITY,
                "two ascending numbers above 0, as [0.75, 1.33]")),
        whole(block + "crop-padding", 0),
        flag(block + "flip"),
        new Augment.RandAugment(
            whole(block + "rand-augment.ops", 0),
            number(block + "rand-augment.magnitude", v -> 0 <= v && v <= 30, "in [0, 30]")),
        number(block + "random-erasing", v -> 0 <= v && v <= 1, "in [0, 1]"));
  }

  private Averaging averaging() {
    return new Averaging(
        choice("averaging.exchange", Exchange.class),
        number("averaging.outer-lr", v -> v > 0, "above 0"),
        number("averaging.outer-momentum", v -> 0 <= v && v < 1, "in [0, 1)"));
  }

  private Workers workers() {
    return new Workers(
        whole("workers.count", 1),
        whole("workers.per-executor", 1),
        whole("workers.threads-per-worker", 1),
        choice("workers.device", Device.class),
        choice("workers.precision", Precision.class),
        flag("workers.balance"),
        number("workers.patience-minutes", v -> v > 0, "above 0"));
  }

  private Tracking tracking() {
    return new Tracking(
        flag("tracking.tensorboard"),
        text(
            "tracking.mlflow-uri",
            uri -> ADDRESS.matcher(uri).matches(),
            "http://… or https://… without a user or password, or empty; credentials belong in the environment, MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        text("tracking.mlflow-experiment", name -> !name.isBlank(), "a name"),
        whole(
            "tracking.ui-port",
            port -> port >= 0 && port <= 65535,
            "a whole number from 0 to 65535"),
        place("tracking.event-log", "a directory, or empty"));
  }

  private void compare(JobConfig config) {
    Epochs epochs = config.epochs();
    if (config.pipeline() == Pipeline.SL && epochs.sl() == 0) {
      settings.refuse("epochs.sl", "must be at least 1 for pipeline sl");
    } else if (epochs.ssl() + epochs.sl() == 0) {
      settings.refuse("epochs.sl", "must be at least 1 when epochs.ssl is 0");
    }
    if (config.data().shards() < config.workers().count()) {
      settings.refuse(
          "data.shards", "must be at least workers.count = " + config.workers().count());
    }
    if (!config.data().ssl().isEmpty() && !config.data().tasks().isEmpty()) {
      settings.refuse("data.ssl", "must be empty where data.tasks are given");
    }
    if (config.workers().balance() && config.data().reshuffle()) {
      settings.refuse(
          "workers.balance", "must be false where data.reshuffle deals every image anew");
    }
    if (config.model().positions() == Positions.LEARNED
        && config.mix().pass() == MixPass.CORRUPTED) {
      settings.refuse("model.positions", "must be sin-cos where mix.pass is corrupted");
    }
    Optimizer optimizer = config.optimizer();
    if (optimizer.minLr() > optimizer.peak()) {
      settings.refuse(
          "optimizer.min-lr",
          "must be at most the peak base-lr * batch-size / 256 = " + optimizer.peak());
    }
  }

  private int whole(String key, int least) {
    return whole(key, value -> value >= least, "a whole number of at least " + least);
  }

  private int whole(String key, Predicate<Integer> allowed, String range) {
    return settings.read(key, Integer::valueOf, allowed, range);
  }

  private double number(String key, DoublePredicate allowed, String range) {
    return settings.read(
        key,
        JobConfigReader::number,
        value -> Double.isFinite(value) && allowed.test(value),
        "a number " + range);
  }

  /** Stricter than {@link Double#valueOf}, which reads NaN and 1d. */
  private static Double number(String text) {
    return new BigDecimal(text.strip()).doubleValue();
  }

  private Curve curve(String key, DoublePredicate allowed, String range) {
    return settings.read(
        key,
        Curve::parse,
        curve -> allowed.test(curve.start()) && allowed.test(curve.end()),
        "constant(a), linear(a->b) or cosine(a->b) with a and b " + range);
  }

  private Betas betas(String key) {
    return settings.read(
        key,
        text -> pair(text, Betas::new),
        betas -> in01(betas.first()) && in01(betas.second()),
        "two numbers in [0, 1), as [0.9, 0.999]");
  }

  private Range range(String key, Predicate<Range> allowed, String described) {
    return settings.read(
        key,
        text -> pair(text, Range::new),
        range -> range.low() <= range.high() && allowed.test(range),
        described);
  }

  private static <T> T pair(String text, BiFunction<Double, Double, T> of) {
    Matcher pair = PAIR.matcher(text);
    if (!pair.matches()) {
      throw new IllegalArgumentException(text);
    }
    return of.apply(number(pair.group(1)), number(pair.group(2)));
  }

  private static boolean in01(double value) {
    return 0 <= value && value < 1;
  }

  private boolean flag(String key) {
    return oneOf(key, List.of("true", "false")).equals("true");
  }

  private String path(String key) {
    if (text(key, path -> true, "a path").isBlank()) {
      settings.refuse(key, "must be a path");
      return "";
    }
    return place(key, "a path");
  }

  /** A path, or nothing. */
  private String place(String key, String range) {
    if (!settings.isText(key)) {
      settings.refuse(
          key,
          "must be %s; in quotes where it begins with a bracket, a brace or a quote"
              .formatted(range));
      return "";
    }
    String given = text(key, path -> true, range);
    if (!given.isEmpty()) {
      Location.problem(given).ifPresent(why -> settings.refuse(key, why));
    }
    return Location.expanded(given);
  }

  private String text(String key, Predicate<String> allowed, String range) {
    return settings.read(key, text -> text, allowed, range);
  }

  private String oneOf(String key, List<String> choices) {
    return text(key, choices::contains, "one of " + String.join(", ", choices));
  }

  private <E extends Enum<E>> E choice(String key, Class<E> type) {
    E[] constants = type.getEnumConstants();
    return settings.read(
        key,
        text ->
            Arrays.stream(constants)
                .filter(constant -> KebabCase.of(constant).equals(text))
                .findAny()
                .orElseThrow(IllegalArgumentException::new),
        constant -> true,
        "one of " + Arrays.stream(constants).map(KebabCase::of).collect(Collectors.joining(", ")));
  }
}
