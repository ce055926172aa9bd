package org.mixtraining.data.sources;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.images.RawImage;
import org.mixtraining.schedule.Seed;

class SyntheticTest {
  private static byte[] draw(Shape shape, long id) {
    return new Drawing(Seed.SYNTHETIC.at(3, id)).of(shape);
  }

  private static double[] meanColor(byte[] pixels) {
    var mean = new double[3];
    for (int i = 0; i < pixels.length; i++) {
      mean[i / 1024] += (pixels[i] & 0xFF) / 255.0 / 1024;
    }
    return mean;
  }

  @Test
  void anImageIsFixedByItsSeedAndNoOtherIsLikeIt() {
    assertThat(draw(Shape.STAR, 5)).hasSize(3072).isEqualTo(draw(Shape.STAR, 5));
    assertThat(draw(Shape.STAR, 5)).isNotEqualTo(draw(Shape.STAR, 6));
    assertThat(draw(Shape.STAR, 5)).isNotEqualTo(draw(Shape.DISC, 5));
  }

  @Test
  void anotherSeedGivesOtherImagesOfTheSameClasses() {
    var one = first(1);
    var other = first(2);
    assertThat(first(1).picture().pixels())
        .isEqualTo(one.picture().pixels())
        .isNotEqualTo(other.picture().pixels());
    assertThat(one.label()).isEqualTo(other.label());
    assertThat(one.source()).isEqualTo("synthetic-train#0");
  }

  private static RawImage.Usable first(long seed) {
    var keys = RawFiles.keys("synthetic", Path.of("unused"), "unused", "fine", 1, 0, seed);
    var source = Synthetic.open(keys);
    try {
      return (RawImage.Usable)
          source.pieces().get(0).read(new Configuration()).findFirst().orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void theMeanColourSaysNothingOfTheClass() {
    int perClass = 200;
    var shapes = List.of(Shape.values());
    var centres = new double[shapes.size()][3];
    for (int label = 0; label < shapes.size(); label++) {
      for (int i = 0; i < perClass; i++) {
        double[] mean = meanColor(draw(shapes.get(label), label + 10L * i));
        for (int c = 0; c < 3; c++) {
          centres[label][c] += mean[c] / perClass;
        }
      }
    }
    int right = 0;
    for (int label = 0; label < shapes.size(); label++) {
      for (int i = perClass; i < 2 * perClass; i++) {
        double[] mean = meanColor(draw(shapes.get(label), label + 10L * i));
        right += nearest(centres, mean) == label ? 1 : 0;
      }
    }
    assertThat(right / (double) (shapes.size() * perClass)).isLessThan(0.15); // chance is 0.1
  }

  private static int nearest(double[][] centres, double[] point) {
    int best = 0;
    double least = Double.MAX_VALUE;
    for (int i = 0; i < centres.length; i++) {
      double distance = 0;
      for (int c = 0; c < point.length; c++) {
        distance += Math.pow(centres[i][c] - point[c], 2);
      }
      if (distance < least) {
        least = distance;
        best = i;
      }
    }
    return best;
  }

  @Test
  void everyShapeHasAnInsideAndLiesInTheUnitDisc() {
    for (var shape : Shape.values()) {
      int inside = 0;
      for (int i = 0; i < 1000; i++) {
        double angle = i * 2.399963;
        double radius = Math.sqrt(i / 1000.0);
        inside += shape.distance(radius * Math.cos(angle), radius * Math.sin(angle)) < 0 ? 1 : 0;
        assertThat(shape.distance(1.2 * Math.cos(angle), 1.2 * Math.sin(angle)))
            .as("%s", shape)
            .isPositive();
      }
      assertThat(inside).as("%s per mille of the disc", shape).isBetween(150, 850);
    }
  }
}
