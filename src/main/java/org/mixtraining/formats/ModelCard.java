package org.mixtraining.formats;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.Serializable;
import java.util.List;
import org.mixtraining.data.Normalization;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.ViT;

/**
 * Description of a trained model: its dimensions, and for each task its image size, normalisation
 * and class names. Together with the parameters it is all that a prediction needs.
 *
 * @param tasks at least one
 */
public record ModelCard(ViT vit, List<Task> tasks) implements Serializable {

  private static final ObjectMapper JSON =
      new ObjectMapper().setSerializationInclusion(JsonInclude.Include.NON_NULL);

  public ModelCard {
    tasks = List.copyOf(tasks);
  }

  /**
   * A task of the model.
   *
   * @param imageSize height and width of its images, in pixels
   * @param normalization of their pixels, one mean and deviation a channel
   * @param classes names by class index
   * @param crop share of the side of an image's centre square that it is shown, {@code
   *     evaluation.crop}; null in older cards, which is 1
   */
  public record Task(
      String name, int imageSize, Normalization normalization, List<String> classes, Double crop)
      implements Serializable {
    public Task {
      crop = crop == null ? 1 : crop;
      classes = List.copyOf(classes);
    }

    /** Colour channels of its images. */
    public int channels() {
      return normalization.mean().size();
    }

    /** Its head. */
    public Head head() {
      return new Head(Head.name(name), classes.size(), 1);
    }
  }

  /** The head of every task. */
  public List<Head> heads() {
    return tasks.stream().map(Task::head).toList();
  }

  /** The card as text. */
  public String json() {
    return text(this);
  }

  /** JSON of a card or of a part of it. */
  static String text(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Parses the output of {@link #json}.
   *
   * @throws IllegalArgumentException if the text is not a card
   */
  public static ModelCard parse(String json) {
    try {
      ModelCard card = JSON.readValue(json, ModelCard.class);
      if (card != null && card.vit != null && !card.tasks.isEmpty()) {
        return card;
      }
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not a model card: " + e.getOriginalMessage(), e);
    }
    throw new IllegalArgumentException("not a model card");
  }
}
