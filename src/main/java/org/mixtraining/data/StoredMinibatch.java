package org.mixtraining.data;

import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.commons.lang3.ArrayUtils;

/**
 * The images of one training step, before augmentation and normalisation.
 *
 * @param ids n dataset-wide image ids
 * @param labels n class indices; {@link Minibatch#UNLABELLED} where the label may not be used
 * @param indices their indices in the set
 * @param ops the operations on each, [n, operations, {@link
 *     org.mixtraining.data.augment.ImageOp#VALUES}]; shorter sequences are padded with zeros
 * @param pixels of the images, uint8 [n, channels, height, width]; empty where the set is in memory
 */
public record StoredMinibatch(
    long[] ids, int[] labels, ImageSet images, int[] indices, double[] ops, byte[] pixels) {

  /** Images in this batch. */
  public int size() {
    return ids.length;
  }

  /** These images, then others of the same set. */
  StoredMinibatch and(StoredMinibatch others) {
    return new StoredMinibatch(
        LongStream.concat(LongStream.of(ids), LongStream.of(others.ids)).toArray(),
        IntStream.concat(IntStream.of(labels), IntStream.of(others.labels)).toArray(),
        images,
        IntStream.concat(IntStream.of(indices), IntStream.of(others.indices)).toArray(),
        DoubleStream.concat(DoubleStream.of(ops), DoubleStream.of(others.ops)).toArray(),
        ArrayUtils.addAll(pixels, others.pixels));
  }
}
