package org.mixtraining.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.BlockManagerId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.mixtraining.spark.SparkRun;
import scala.Option;

class ExecutorBlocksTest {
  private static final int RDD = 1_000_000;

  private static SparkSession session;

  @BeforeAll
  static void start() {
    session =
        SparkSession.builder().master("local[2]").config("spark.ui.enabled", false).getOrCreate();
    session.sparkContext().setLogLevel("OFF");
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  @AfterEach
  void free() {
    ExecutorBlocks.remove(RDD);
    assertThat(SparkRun.blocksOfRdds()).isEmpty();
  }

  /** This process, as one that bytes are fetched from over the network. */
  private static BlockManagerId elsewhere(int port) {
    return BlockManagerId.apply("other", ExecutorBlocks.here().host(), port, Option.empty());
  }

  private static ExecutorBlocks.Address block(BlockManagerId place, int number) {
    return new ExecutorBlocks.Address(place, RDD, number);
  }

  @Test
  void bytesArriveAsTheyWerePut() {
    BlockManagerId far = elsewhere(ExecutorBlocks.here().port());
    int[] sizes = {1, 17, 1 << 18, (1 << 18) + 1, 3_000_000};
    byte[][] put = new byte[sizes.length][];
    var random = new Random(1);
    for (int i = 0; i < sizes.length; i++) {
      put[i] = new byte[sizes[i]];
      random.nextBytes(put[i]);
      ExecutorBlocks.put(RDD, i, ByteBuffer.wrap(put[i].clone()), i == 0);
    }
    for (int i = 1; i < sizes.length; i++) {
      List<ExecutorBlocks.Address> both =
          List.of(block(far, i), block(ExecutorBlocks.here(), i), block(far, 0));

      List<ByteBuffer> kept = ExecutorBlocks.get(both);
      byte[][] read = new byte[both.size()][];
      ExecutorBlocks.read(both, (index, bytes) -> read[index] = array(bytes));

      for (int b = 0; b < both.size(); b++) {
        assertThat(array(kept.get(b))).isEqualTo(b == 2 ? put[0] : put[i]).isEqualTo(read[b]);
      }
    }
  }

  private static byte[] array(ByteBuffer bytes) {
    byte[] array = new byte[bytes.remaining()];
    bytes.get(array);
    return array;
  }

  @Test
  void whatIsNotThereIsLost() {
    BlockManagerId far = elsewhere(ExecutorBlocks.here().port());

    assertThatThrownBy(() -> ExecutorBlocks.get(List.of(block(ExecutorBlocks.here(), 0))))
        .isInstanceOf(SlicesLostException.class);
    assertThatThrownBy(() -> ExecutorBlocks.get(List.of(block(far, 0))))
        .isInstanceOf(SlicesLostException.class)
        .hasMessageStartingWith("rdd_1000000_0 cannot be had from BlockManagerId(other, ");
  }

  @Test
  void whatWasOnADeadExecutorIsLost() {
    assertThatThrownBy(() -> ExecutorBlocks.get(List.of(block(elsewhere(1), 0))))
        .isInstanceOf(SlicesLostException.class);
  }
}
