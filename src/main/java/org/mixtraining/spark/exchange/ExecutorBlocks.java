package org.mixtraining.spark.exchange;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.network.BlockTransferService;
import org.apache.spark.network.buffer.ManagedBuffer;
import org.apache.spark.network.shuffle.BlockFetchingListener;
import org.apache.spark.network.shuffle.DownloadFileManager;
import org.apache.spark.storage.BlockData;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.BlockManager;
import org.apache.spark.storage.BlockManagerId;
import org.apache.spark.storage.ByteBufferBlockData;
import org.apache.spark.storage.RDDBlockId;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.io.ChunkedByteBuffer;
import org.mixtraining.config.Causes;
import scala.Option;
import scala.reflect.ClassTag$;

/**
 * Bytes in the executors' block managers, where Spark keeps what RDDs persist and broadcasts, in
 * one class. It is the only one that uses what Spark keeps to itself: to put bytes without a
 * serializer, and to fetch them from the executor that is known to have them, through Spark's own
 * transport with its authentication and encryption. The methods are public in the bytecode of Spark
 * 3.5; {@link #available} says whether they are there.
 *
 * <p>Blocks are named as those of an RDD, whose {@code unpersist} frees them on all executors.
 */
public final class ExecutorBlocks {

  /** Bytes stay as they are; where memory is full, they go to the executor's disks. */
  private static final StorageLevel LEVEL = StorageLevel.MEMORY_AND_DISK_SER();

  private static final int PART_BYTES = 1 << 18;
  private static final long LOOK_MILLIS = 100;

  private ExecutorBlocks() {}

  /**
   * Where a block lies.
   *
   * @param place the block manager of an executor
   * @param rdd id of the RDD whose block it is
   * @param number of the block
   */
  record Address(BlockManagerId place, int rdd, int number) {
    private BlockId id() {
      return new RDDBlockId(rdd, number);
    }
  }

  /** Takes the bytes of a block, which are its own only until it returns, on any thread. */
  @FunctionalInterface
  interface Sink {
    /**
     * @param index of the block among those asked for
     */
    void accept(int index, ByteBuffer bytes);
  }

  /** The same of bytes that come from elsewhere. */
  @FunctionalInterface
  private interface Arrivals {
    void accept(int index, ManagedBuffer data) throws IOException;
  }

  /** The block manager of this process. */
  static BlockManagerId here() {
    return manager().blockManagerId();
  }

  private static BlockManager manager() {
    return SparkEnv.get().blockManager();
  }

  /**
   * Keeps bytes in this process, as they are.
   *
   * @param bytes the whole of an array
   * @param told whether the driver is told, which costs a call: dynamic allocation spares executors
   *     that have blocks it knows of
   */
  static void put(int rdd, int number, ByteBuffer bytes, boolean told) {
    boolean kept =
        manager()
            .putBytes(
                new RDDBlockId(rdd, number),
                new ChunkedByteBuffer(parts(bytes)),
                LEVEL,
                told,
                ClassTag$.MODULE$.Nothing());
    if (!kept) {
      throw new IllegalStateException(
          "executor %s has room for %s bytes neither in memory nor on its disks"
              .formatted(SparkEnv.get().executorId(), bytes.capacity()));
    }
  }

  /**
   * The same bytes in parts, without a copy. Java copies as much of a buffer as it is given with
   * each write to a socket, and the socket takes little of it: of large parts most would be copied
   * many times.
   */
  private static ByteBuffer[] parts(ByteBuffer bytes) {
    int count = Math.max(1, (bytes.capacity() + PART_BYTES - 1) / PART_BYTES);
    ByteBuffer[] parts = new ByteBuffer[count];
    for (int i = 0; i < count; i++) {
      int from = i * PART_BYTES;
      parts[i] = bytes.slice(from, Math.min(PART_BYTES, bytes.capacity() - from));
    }
    return parts;
  }

  /** The bytes that were put, uncopied if they are still in memory. */
  private static ByteBuffer whole(BlockData data) {
    if (data instanceof ByteBufferBlockData inMemory) {
      ByteBuffer[] parts = inMemory.buffer().getChunks();
      if (parts.length > 0 && parts[0].hasArray() && parts[0].array().length == data.size()) {
        return ByteBuffer.wrap(parts[0].array());
      }
    }
    return data.toByteBuffer();
  }

  /** Frees the blocks of an RDD in this process. */
  static void remove(int rdd) {
    manager().removeRdd(rdd);
  }

  /**
   * Reads blocks from where they lie, all at once.
   *
   * @throws SlicesLostException if one is not there any more
   */
  static void read(List<Address> blocks, Sink sink) {
    read(blocks, sink, (index, data) -> sink.accept(index, data.nioByteBuffer()));
  }

  /**
   * Blocks from where they lie, to keep.
   *
   * @throws SlicesLostException if one is not there any more
   */
  static List<ByteBuffer> get(List<Address> blocks) {
    ByteBuffer[] kept = new ByteBuffer[blocks.size()];
    read(
        blocks,
        (index, bytes) -> kept[index] = bytes, // those that were put
        (index, data) -> kept[index] = copy(data));
    return List.of(kept);
  }

  /** Spark's transport reuses what bytes came in. */
  private static ByteBuffer copy(ManagedBuffer data) throws IOException {
    byte[] bytes = new byte[Math.toIntExact(data.size())];
    try (var in = new DataInputStream(data.createInputStream())) {
      in.readFully(bytes);
    }
    return ByteBuffer.wrap(bytes);
  }

  private static void read(List<Address> blocks, Sink ofHere, Arrivals ofOthers) {
    BlockManagerId here = here();
    Map<BlockManagerId, Map<String, Integer>> remote = new HashMap<>();
    List<Integer> local = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      Address block = blocks.get(i);
      if (block.place.equals(here)) {
        local.add(i);
      } else {
        remote.computeIfAbsent(block.place, p -> new HashMap<>()).put(block.id().name(), i);
      }
    }
    List<CompletableFuture<?>> arriving = new ArrayList<>();
    remote.forEach((place, wanted) -> arriving.add(fetch(place, wanted, ofOthers)));
    for (int i : local) {
      ofHere.accept(i, local(blocks.get(i)));
    }
    arriving.forEach(ExecutorBlocks::await);
  }

  private static ByteBuffer local(Address block) {
    Option<BlockData> data = manager().getLocalBytes(block.id());
    if (data.isEmpty()) {
      throw new SlicesLostException("%s is no longer on %s".formatted(block.id(), block.place));
    }
    try {
      return whole(data.get()); // stays readable when the block is freed
    } finally {
      manager().releaseLock(block.id(), Option.empty());
    }
  }

  private static CompletableFuture<?> fetch(
      BlockManagerId place, Map<String, Integer> wanted, Arrivals arrivals) {
    Fetch fetch = new Fetch(place, wanted, arrivals);
    manager()
        .blockTransferService()
        .fetchBlocks(
            place.host(),
            place.port(),
            place.executorId(),
            wanted.keySet().toArray(String[]::new),
            fetch,
            null);
    return fetch.done;
  }

  /** Blocks on their way from one executor. */
  private static final class Fetch implements BlockFetchingListener {
    private final BlockManagerId place;
    private final Map<String, Integer> wanted;
    private final Arrivals arrivals;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private int arrived;

    Fetch(BlockManagerId place, Map<String, Integer> wanted, Arrivals arrivals) {
      this.place = place;
      this.wanted = wanted;
      this.arrivals = arrivals;
    }

    @Override
    public void onBlockFetchSuccess(String block, ManagedBuffer data) {
      try {
        arrivals.accept(wanted.get(block), data);
      } catch (IOException | RuntimeException e) {
        done.completeExceptionally(e);
        return;
      }
      if (arrived() == wanted.size()) {
        done.complete(null);
      }
    }

    private synchronized int arrived() {
      return ++arrived;
    }

    @Override
    public void onBlockFetchFailure(String block, Throwable failure) {
      done.completeExceptionally(
          new SlicesLostException(
              "%s cannot be had from %s: %s".formatted(block, place, Causes.reason(failure))));
    }
  }

  /** Waits, as long as the running task is not killed. */
  private static void await(CompletableFuture<?> arriving) {
    while (true) {
      try {
        arriving.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        return;
      } catch (TimeoutException e) {
        if (TaskContext.get() != null) {
          TaskContext.get().killTaskIfInterrupted();
        }
      } catch (ExecutionException e) {
        throw e.getCause() instanceof RuntimeException unchecked
            ? unchecked
            : new UncheckedIOException((IOException) e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while slices were fetched", e);
      }
    }
  }

  // --- whether Spark has it ----------------------------------------------------------------------

  /**
   * Whether this Spark, other than the one that the job was built with, has what is used here. Runs
   * that begin side by side ask one after another, since they put the same block.
   */
  public static synchronized boolean available() {
    int rdd = Integer.MAX_VALUE; // of no RDD
    try {
      put(rdd, 0, ByteBuffer.allocate(1), false);
      local(new Address(here(), rdd, 0));
      remove(rdd);
      BlockTransferService.class.getMethod(
          "fetchBlocks",
          String.class,
          int.class,
          String.class,
          String[].class,
          BlockFetchingListener.class,
          DownloadFileManager.class);
      return true;
    } catch (LinkageError | NoSuchMethodException e) {
      return false;
    }
  }
}
