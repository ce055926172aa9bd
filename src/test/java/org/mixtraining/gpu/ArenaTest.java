package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ArenaTest {
  private static final Memory.Type FLOAT = Memory.Type.FLOAT;

  @Test
  void whatIsPlannedIsAllocatedOnceAndAsLargeAsAnybodyNeeds() {
    try (Gpu gpu = new HostGpu(FLOAT);
        Arena arena = new Arena(gpu)) {
      arena.of("a", FLOAT, 4);
      long before = arena.growths();
      Memory a =
          arena.planned(
              () -> {
                arena.of("a", FLOAT, 8);
                return arena.of("a", FLOAT, 6);
              });
      assertThat(arena.growths()).isEqualTo(before + 1);
      assertThat(a.count()).isEqualTo(6);
      assertThat(arena.of("a", FLOAT, 8).address()).isEqualTo(a.address());
    }
  }

  @Test
  void whileItIsFixedNothingNewCanBeAskedFor() {
    try (Gpu gpu = new HostGpu(FLOAT);
        Arena arena = new Arena(gpu)) {
      Memory a = arena.of("a", FLOAT, 4);
      arena.fixed(() -> assertThat(arena.of("a", FLOAT, 4)).isEqualTo(a));
      assertThatThrownBy(() -> arena.fixed(() -> arena.of("b", FLOAT, 1)))
          .hasMessage("nobody has asked for b in time");
      assertThat(arena.of("b", FLOAT, 1).count()).isEqualTo(1);
    }
  }
}
