package org.mixtraining.schedule;

/** The loss that an epoch minimises. */
public enum Objective {
  /** Masked autoencoding: reconstruct the masked patches. */
  SSL,
  /** Supervised cross-entropy. */
  SL,
  /** {@code α·SSL + (1−α)·SL} in one step. */
  JOINT
}
