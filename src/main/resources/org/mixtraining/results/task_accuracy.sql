-- one row per run, evaluated epoch, split and task
--
-- run_id: the run
-- epoch: position in the run, from 1
-- split: the images evaluated
-- task: the task, main if there is only one
-- images: images evaluated, count
-- accuracy: share whose most probable class was the label's, 0 to 1
-- top5_accuracy: share whose label was among the five most probable, 0 to 1
-- worst_class_accuracy: accuracy of the worst class, 0 to 1
select run_id, epoch, split, task, sum(images) as images,
  sum(accuracy * images) / sum(images) as accuracy,
  sum(top5_accuracy * images) / sum(images) as top5_accuracy,
  min(accuracy) as worst_class_accuracy
from classes
group by run_id, epoch, split, task
order by run_id, epoch, split, task
