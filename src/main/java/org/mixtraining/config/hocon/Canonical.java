package org.mixtraining.config.hocon;

import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValueFactory;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.mixtraining.config.AugmentConfig.Range;
import org.mixtraining.config.AveragingConfig.Rounds;
import org.mixtraining.config.Curve;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.config.Secrets;

/** Records as configuration text: each component a key, {@code maskRatio} as mask-ratio. */
public final class Canonical {
  private Canonical() {}

  /** A component that is no block of its own: its components are keys beside the others. */
  @Retention(RetentionPolicy.RUNTIME)
  @Target(ElementType.RECORD_COMPONENT)
  public @interface Inline {}

  public static String json(String root, Record block) {
    return ConfigValueFactory.fromMap(Map.of(root, map(block)))
        .render(ConfigRenderOptions.concise());
  }

  private static Map<String, Object> map(Record block) {
    Map<String, Object> map = new TreeMap<>();
    for (RecordComponent component : block.getClass().getRecordComponents()) {
      if (component.isAnnotationPresent(Inline.class)) {
        map.putAll(map((Record) of(component, block)));
        continue;
      }
      String key = component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
      map.put(key, Secrets.isSecret(key) ? Secrets.REDACTED : value(component, block));
    }
    return map;
  }

  private static Object value(RecordComponent component, Record block) {
    Object value = of(component, block);
    if (value instanceof Enum<?> constant) {
      return KebabCase.of(constant);
    } else if (value instanceof Curve curve) {
      return curve.toString();
    } else if (value instanceof Rounds rounds) {
      return rounds.value();
    } else if (value instanceof Betas betas) {
      return List.of(betas.first(), betas.second());
    } else if (value instanceof Range range) {
      return List.of(range.low(), range.high());
    } else if (value instanceof List<?> list) {
      return list.stream().map(item -> map((Record) item)).toList();
    } else if (value instanceof String text) {
      return Secrets.inText(text);
    }
    return value instanceof Record inner ? map(inner) : value;
  }

  private static Object of(RecordComponent component, Record block) {
    try {
      component.getAccessor().setAccessible(true);
      return component.getAccessor().invoke(block);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(component + " cannot be read", e);
    }
  }
}
