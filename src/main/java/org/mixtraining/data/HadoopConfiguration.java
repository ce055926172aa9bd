package org.mixtraining.data;

import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import org.apache.hadoop.conf.Configuration;

/** A Hadoop configuration that can be sent to a task. */
public final class HadoopConfiguration implements Externalizable {
  private static final long serialVersionUID = 1L;

  private Configuration value;

  /** For deserialization only. */
  public HadoopConfiguration() {
    this(new Configuration(false));
  }

  public HadoopConfiguration(Configuration value) {
    this.value = value;
  }

  public Configuration value() {
    return value;
  }

  @Override
  public void writeExternal(ObjectOutput out) throws IOException {
    value.write(out);
  }

  @Override
  public void readExternal(ObjectInput in) throws IOException {
    value.readFields(in);
  }
}
