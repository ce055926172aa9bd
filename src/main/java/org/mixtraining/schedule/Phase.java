package org.mixtraining.schedule;

/** The part of a run that an epoch belongs to. */
public enum Phase {
  SSL,
  MIX,
  SL
}
