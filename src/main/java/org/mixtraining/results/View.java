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
              """));
}
