package org.mixtraining.train;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.mixtraining.kernels.Engine;
import org.mixtraining.vit.layers.Compute;

/** Tests that compute on the CPU with one thread. */
public final class OneThread implements BeforeEachCallback, AfterEachCallback {
  private Compute compute;
  private Compute.Scope scope;

  @Override
  public void beforeEach(ExtensionContext context) {
    compute = new Compute(Engine.cpu(1));
    scope = compute.use();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    scope.close();
    compute.close();
  }
}
