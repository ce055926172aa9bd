package org.mixtraining.results;

/** One worker's share of one epoch, from the attempt whose result was used. */
@TableRow(table = "workers", oneRowPer = "finished epoch and worker")
public record WorkerRow(
    @Column("the run; partition of the table") String runId,
    @Column("position in the run, from 1") int epoch,
    @Column("logical worker, from 0") int worker,
    @Column("host it ran on") String host,
    @Column("Spark executor it ran in") String executor,
    @Column("device it computed on") String device,
    @Column("images trained on, count") long images,
    @Column("optimizer steps, count") long steps,
    @Column("the loss minimised, mean over its images") double loss,
    @Column("wall time that it held its device, seconds") double seconds,
    @Column("part of it spent waiting for data, seconds") double waitSeconds,
    @Column("highest resident memory of its process so far, bytes; null where unknown")
        Long peakRssBytes,
    @Column(
            "resident memory of its process beyond the Java heap at the end, bytes; null where unknown")
        Long offHeapBytes,
    @Column("attempt of its Spark task, from 0") int attempt,
    @Column("weight in the average of all but the heads, 0 to 1; those weigh labelled images")
        double weight,
    @Column("devices it held: cores (its threads), or one GPU, count; null in older rows")
        Integer devices)
    implements ResultRow, EpochScoped {

  /** Its device time: seconds times the devices that it held. */
  double deviceSeconds() {
    return seconds * held();
  }

  int held() {
    return devices == null ? 1 : devices;
  }

  @Override
  public String part() {
    return EpochScoped.part("workers", epoch);
  }
}
