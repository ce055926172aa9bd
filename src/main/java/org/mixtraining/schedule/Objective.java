package org.mixtraining.schedule;

/** What an epoch minimises. */
public enum Objective {
  /** Masked autoencoding: reconstruct the hidden patches. */
  SSL,
  /** Supervised cross-entropy. */
  SL,
  /** {@code α·SSL + (1−α)·SL} in one step. */
  JOINT
}
