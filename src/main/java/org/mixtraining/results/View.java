package org.mixtraining.results;

import java.util.List;

/** A question that is asked often, answered by SQL over the tables. */
record View(String name, String meaning, String sql) {
  static final List<View> ALL =
      List.of(
          new View(
              "phase_cost",
              "one row per run and phase, in the order of training: epochs, images, wall seconds,"
                  + " FLOPs by formula, and device seconds summed over workers",
              """
              select e.run_id, e.phase, count(*) as epochs, sum(e.images) as images,
                sum(e.seconds) as seconds, sum(e.flops) as flops,
                sum(w.seconds) as device_seconds
              from epochs e
              left join (select run_id, epoch, sum(seconds) as seconds
                         from workers group by run_id, epoch) w
                on e.run_id = w.run_id and e.epoch = w.epoch
              group by e.run_id, e.phase
              order by e.run_id, min(e.epoch)
              """),
          new View(
              "slowest_workers",
              "one row per run and epoch: the worker that took longest, where it ran, its seconds and"
                  + " images beside the mean of all workers",
              """
              select run_id, epoch, worker, host, executor, device, seconds, mean_seconds,
                seconds / mean_seconds as times_mean, images, mean_images
              from (select *,
                      avg(seconds) over (partition by run_id, epoch) as mean_seconds,
                      avg(images) over (partition by run_id, epoch) as mean_images,
                      row_number() over (
                        partition by run_id, epoch order by seconds desc, worker) as place
                    from workers)
              where place = 1
              order by run_id, epoch
              """),
          new View(
              "task_accuracy",
              "one row per run, evaluated epoch, split and task: images, accuracy, top-5 accuracy,"
                  + " and the accuracy of the class that fares worst",
              """
              select run_id, epoch, split, task, sum(images) as images,
                sum(accuracy * images) / sum(images) as accuracy,
                sum(top5_accuracy * images) / sum(images) as top5_accuracy,
                min(accuracy) as worst_class_accuracy
              from classes
              group by run_id, epoch, split, task
              order by run_id, epoch, split, task
              """),
          new View(
              "settings",
              "one row per comparison, setting (dataset, fraction, label_fraction) and arm: runs"
                  + " finished of those planned; the mean test accuracy of the model that is best on"
                  + " validation and its standard deviation over seeds; cost of training, means per"
                  + " run: device seconds (all workers' time on a device, without waiting for one),"
                  + " wall seconds with evaluation, FLOPs by formula; over the seeds that the"
                  + " baseline has too, the gain over it in accuracy, and how many times cheaper"
                  + " than it in device seconds and FLOPs; ahead: higher accuracy in less time than"
                  + " the baseline; pareto: no arm of the setting is both as accurate and as cheap",
              """
              with finished as (
                select c.*, r.seed, r.device_seconds, r.seconds, r.flops,
                  coalesce(r.test_accuracy_at_best, r.final_test_accuracy) as accuracy
                from comparisons c
                left join runs r on r.run_id = c.run_id and r.status = 'finished'
              ), arms as (
                select f.comparison, f.dataset, f.fraction, f.label_fraction, f.arm,
                  count(f.seed) as runs, count(*) as planned,
                  avg(f.accuracy) as accuracy, stddev_samp(f.accuracy) as accuracy_deviation,
                  avg(f.device_seconds) as device_seconds, avg(f.seconds) as wall_seconds,
                  avg(f.flops) as flops,
                  avg(f.accuracy - b.accuracy) as gain,
                  sum(b.device_seconds) / sum(if(b.seed is null, null, f.device_seconds))
                    as times_cheaper,
                  sum(b.flops) / sum(if(b.seed is null, null, f.flops)) as times_fewer_flops
                from finished f
                left join finished b on b.comparison = f.comparison and b.dataset = f.dataset
                  and b.fraction = f.fraction and b.label_fraction = f.label_fraction
                  and b.seed = f.seed and b.arm = f.baseline
                group by f.comparison, f.dataset, f.fraction, f.label_fraction, f.arm
              )
              select *, gain > 0 and times_cheaper > 1 as ahead,
                coalesce(
                  accuracy = max(accuracy) over (
                    partition by comparison, dataset, fraction, label_fraction
                    order by device_seconds)
                  and rank() over (
                    partition by comparison, dataset, fraction, label_fraction, accuracy
                    order by device_seconds) = 1,
                  false) as pareto
              from arms
              order by comparison, dataset, fraction desc, label_fraction desc, arm
              """));
}
