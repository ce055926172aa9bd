package org.mixtraining.data.sources;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.DataConfig;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.Picture;
import org.mixtraining.data.images.RawImage;
import org.mixtraining.schedule.Seed;

/**
 * The synthetic dataset, which needs no download. The classes are {@link Shape}s, equally many of
 * each; everything else about an image (see {@link Drawing}) is random and independent of its
 * class.
 *
 * @param firstId number of the first image in the source, which its random numbers belong to
 * @param first number of the first image in its split
 */
record Synthetic(long seed, Split split, long firstId, int first, int images) implements Piece {
  private static final List<Shape> SHAPES = List.of(Shape.values());
  private static final int IMAGES_PER_PIECE = 512;

  static Source open(DataConfig data) {
    int train = data.raw().synthetic().train();
    var pieces = new ArrayList<Piece>();
    cut(data.preparation().seed(), Split.TRAIN, train, 0, pieces);
    cut(data.preparation().seed(), Split.TEST, data.raw().synthetic().test(), train, pieces);
    var classes = SHAPES.stream().map(s -> s.name().toLowerCase(Locale.ROOT)).toList();
    return new Source("label", classes, Drawing.CHANNELS, pieces, List.of());
  }

  private static void cut(long seed, Split split, int images, long firstId, List<Piece> pieces) {
    for (int first = 0; first < images; first += IMAGES_PER_PIECE) {
      int count = Math.min(IMAGES_PER_PIECE, images - first);
      pieces.add(new Synthetic(seed, split, firstId + first, first, count));
    }
  }

  @Override
  public Stream<RawImage> read(Configuration hadoop) {
    return IntStream.range(0, images).mapToObj(this::image);
  }

  private RawImage image(int i) {
    int label = (first + i) % SHAPES.size();
    var pixels = new Drawing(Seed.SYNTHETIC.at(seed, firstId + i)).of(SHAPES.get(label));
    return new RawImage.Usable(
        "synthetic-%s#%s".formatted(split.key(), first + i),
        label,
        new Picture(Drawing.CHANNELS, Drawing.SIZE, Drawing.SIZE, pixels));
  }
}
