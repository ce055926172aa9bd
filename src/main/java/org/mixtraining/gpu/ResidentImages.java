package org.mixtraining.gpu;

import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mixtraining.data.ImageSet;
import org.mixtraining.train.TrainingBatch.Raw;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Images that lie on a device as they are stored: each set is brought there when the first step
 * asks for it, and stays while epochs go on asking.
 */
final class ResidentImages implements AutoCloseable {

  /**
   * A set on the device.
   *
   * @param images uint8 [images, channels, height, width]; nothing where they are not in memory, or
   *     would be more than half of the memory that the device has left, since steps of other shapes
   *     may yet need some
   * @param tables normalised value of each pixel value, [channels, 256]
   */
  record Resident(Optional<Memory> images, Memory tables) {}

  private static final Logger LOG = LoggerFactory.getLogger(ResidentImages.class);

  private final Gpu gpu;
  private final Map<ImageSet, Resident> sets = new IdentityHashMap<>();
  private final Set<ImageSet> asked = Collections.newSetFromMap(new IdentityHashMap<>());

  ResidentImages(Gpu gpu) {
    this.gpu = gpu;
  }

  /** The set that images are picked from. */
  Resident of(Raw.Picked images) {
    asked.add(images.set());
    return sets.computeIfAbsent(
        images.set(),
        set -> {
          Memory tables = gpu.allocate(Memory.Type.FLOAT, images.tables().length);
          gpu.write(tables, images.tables());
          return new Resident(bring(set), tables);
        });
  }

  private Optional<Memory> bring(ImageSet images) {
    if (images.buffers().isEmpty()) {
      return Optional.empty();
    }
    long bytes = (long) images.size() * images.imageBytes();
    long left = gpu.freeBytes();
    if (bytes > left / 2) {
      LOG.info(
          "{} images of {} bytes are more than half of the {} MB that the device has left: they are copied with each minibatch",
          images.size(),
          images.imageBytes(),
          left >> 20);
      return Optional.empty();
    }
    Memory memory = gpu.allocate(Memory.Type.BYTE, bytes);
    long at = 0;
    for (ByteBuffer buffer : images.buffers()) {
      gpu.upload(memory.from(at), buffer);
      at += buffer.remaining();
    }
    return Optional.of(memory);
  }

  /** Frees the sets that nobody asked for since the last time. */
  void endEpoch() {
    List.copyOf(sets.keySet()).stream()
        .filter(set -> !asked.contains(set))
        .forEach(set -> free(sets.remove(set)));
    asked.clear();
  }

  @Override
  public void close() {
    sets.values().forEach(this::free);
    sets.clear();
  }

  private void free(Resident set) {
    set.images.ifPresent(gpu::free);
    gpu.free(set.tables);
  }
}
