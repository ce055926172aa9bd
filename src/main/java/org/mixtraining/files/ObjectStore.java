package org.mixtraining.files;

import java.util.Set;
import org.apache.hadoop.fs.FileSystem;

/**
 * File systems over the objects of a store. There a file appears in one step, in place of the one
 * before, when its stream is closed; a rename copies and deletes file by file; and a file that may
 * not exist yet is made by two writers who both find none.
 */
public final class ObjectStore {
  private static final Set<String> SCHEMES =
      Set.of("s3a", "s3", "s3n", "gs", "oss", "cos", "cosn", "obs", "bos", "tos");

  private ObjectStore() {}

  public static boolean is(FileSystem files) {
    return SCHEMES.contains(files.getUri().getScheme());
  }
}
