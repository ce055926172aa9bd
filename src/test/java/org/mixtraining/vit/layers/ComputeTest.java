package org.mixtraining.vit.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Matrix;

class ComputeTest {

  @Test
  void aScopeEndsWithWhatTheThreadComputedWithBefore() {
    Compute before = Compute.current();
    try (Compute outer = new Compute(Engine.cpu(1));
        Compute inner = new Compute(Engine.cpu(1))) {
      Compute.Scope outerScope = outer.use();
      Compute.Scope innerScope = inner.use();
      assertThat(Compute.current()).isSameAs(inner);
      innerScope.close();
      assertThat(Compute.current()).isSameAs(outer);
      outerScope.close();
    }
    assertThat(Compute.current()).isSameAs(before);
    assertThat(before.engine().threads()).isEqualTo(1);
  }

  @Test
  void scratchMemoryIsReusedUntilMoreIsAskedFor() {
    try (Compute compute = new Compute(Engine.cpu(1))) {
      Matrix first = compute.scratch("a", 4, 6);
      first.fill(7);

      assertThat(compute.scratch("a", 3, 2).get(2, 1)).isEqualTo(7);
      assertThat(compute.scratch("b", 3, 2).get(2, 1)).isZero();
      Matrix larger = compute.scratch("a", 5, 6);
      assertThat(larger.rows()).isEqualTo(5);
      assertThat(larger.cols()).isEqualTo(6);
    }
  }

  @Test
  void whatIsClosedComputesNoMore() {
    Compute compute = new Compute(Engine.cpu(2));
    compute.close();

    assertThatThrownBy(() -> compute.engine().parallel(1, (thread, i) -> {}))
        .isInstanceOf(IllegalStateException.class);
  }
}
