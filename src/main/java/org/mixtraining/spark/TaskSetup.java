package org.mixtraining.spark;

import java.io.Serializable;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.mixtraining.run.TrainingData;

/**
 * The data and devices of every task of a run, broadcast once: Hadoop's configuration is in the
 * data.
 */
record TaskSetup(TrainingData data, WorkerDevices devices) implements Serializable {

  /** In each process, before its first task: a session may have been made without the plugin. */
  TaskSetup {
    beforeArrays();
  }

  /**
   * JavaCPP's Loader and Pointer initialise each other: of two threads, one that begins with
   * Pointer and one that begins with ND4J, and so with Loader, each waits for the other forever.
   */
  static synchronized void beforeArrays() {
    Loader.isLoadLibraries();
    Pointer.maxBytes();
  }
}
