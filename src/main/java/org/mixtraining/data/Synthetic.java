package org.mixtraining.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.JobConfig;
import org.mixtraining.schedule.Seed;

/**
 * Drawn images, for a machine with no dataset at hand. The classes are {@link Shape}s, equally many
 * of each; all else about an image (see {@link Drawing}) is chance that says nothing of its class.
 */
record Synthetic(long seed, List<Piece> pieces) implements Source {
  private static final List<Shape> SHAPES = List.of(Shape.values());
  private static final int IMAGES_PER_PIECE = 512;

  static Synthetic of(JobConfig.Data data) {
    int train = data.synthetic().train();
    var pieces = new ArrayList<Piece>();
    cut(Split.TRAIN, train, 0, pieces);
    cut(Split.TEST, data.synthetic().test(), train, pieces);
    return new Synthetic(data.seed(), List.copyOf(pieces));
  }

  private static void cut(Split split, int images, long firstId, List<Piece> pieces) {
    for (int first = 0; first < images; first += IMAGES_PER_PIECE) {
      int count = Math.min(IMAGES_PER_PIECE, images - first);
      pieces.add(new Piece(split, "synthetic-" + split.key(), first, count, firstId + first));
    }
  }

  @Override
  public List<String> classes() {
    return SHAPES.stream().map(s -> s.name().toLowerCase(Locale.ROOT)).toList();
  }

  @Override
  public String labelKind() {
    return "label";
  }

  @Override
  public Stream<RawImage> images(Piece piece, Configuration hadoop) {
    return IntStream.range(0, piece.records()).mapToObj(i -> image(piece, i));
  }

  @Override
  public Stream<Label> labels(Piece piece, Configuration hadoop) {
    return IntStream.range(0, piece.records())
        .mapToObj(i -> new Label(piece.firstId() + i, label(piece, i)));
  }

  private RawImage image(Piece piece, int i) {
    long id = piece.firstId() + i;
    int label = label(piece, i);
    var pixels = new Drawing(Seed.SYNTHETIC.at(seed, id)).of(SHAPES.get(label));
    var origin = piece.file() + "#" + (piece.firstRecord() + i);
    return new RawImage(id, origin, label, null, null, pixels);
  }

  private static int label(Piece piece, int i) {
    return (int) ((piece.firstRecord() + i) % SHAPES.size());
  }
}
