package org.mixtraining.report;

import static j2html.TagCreator.div;
import static j2html.TagCreator.each;
import static j2html.TagCreator.li;
import static j2html.TagCreator.span;
import static j2html.TagCreator.ul;

import j2html.tags.DomContent;
import java.util.List;
import org.mixtraining.data.preview.Completions.Completion;

/** Test images, what the masked autoencoder sees of them, and how it completes them. */
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
        List.of(
            Card.of(
                "Original, visible patches, completed",
                "Test images as a masked autoencoding step shows them to the final model, and as it completes them. Where it predicts patches without their brightness and contrast, it is given these from the original.",
                ul(each(pictures.completions(), CompletionsSection::triple))
                    .withClass("triples"))));
  }

  private static DomContent triple(Completion completion) {
    String label = completion.label();
    return li(
        div(
                Gallery.image(completion.original(), "original: " + label),
                Gallery.image(completion.seen(), "the patches of it that the model sees"),
                Gallery.image(completion.completed(), "as the model completes it"))
            .withClass("triple"),
        span(label).withClass("caption"));
  }
}
