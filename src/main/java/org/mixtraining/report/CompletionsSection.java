package org.mixtraining.report;

import static j2html.TagCreator.div;
import static j2html.TagCreator.each;
import static j2html.TagCreator.li;
import static j2html.TagCreator.span;
import static j2html.TagCreator.ul;

import j2html.tags.DomContent;
import org.mixtraining.data.preview.Completions.Completion;

/**
 * The section of reconstructions: test images, their visible patches, and the masked autoencoder's
 * completions.
 */
final class CompletionsSection {
  private static final String TITLE = "Reconstructions";

  private CompletionsSection() {}

  static Section of(Pictures pictures) {
    if (pictures.completions().isEmpty()) {
      return Section.missing("reconstructions", TITLE, pictures.noCompletions());
    }
    return Section.of(
        "reconstructions",
        TITLE,
        Card.of(
            "Original, visible patches, completed",
            "Test images as the final model sees them in a masked autoencoding step, and its reconstructions. If it predicts normalised patches, their mean and deviation are taken from the original.",
            ul(each(pictures.completions(), CompletionsSection::triple)).withClass("triples")));
  }

  private static DomContent triple(Completion completion) {
    String label = completion.label();
    return li(
        div(
                Gallery.image(completion.original(), "original: " + label),
                Gallery.image(completion.seen(), "its patches that the model sees"),
                Gallery.image(completion.completed(), "the model's reconstruction"))
            .withClass("triple"),
        span(label).withClass("caption"));
  }
}
