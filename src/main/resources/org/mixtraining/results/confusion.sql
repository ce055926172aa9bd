-- one row per run, split, task, label and predicted class
--
-- run_id: the run
-- split: the images predicted
-- task: the task, main if there is only one
-- label: class index of the label, from 0
-- label_name: name of the label's class
-- predicted: the most probable class, index from 0
-- predicted_name: name of the most probable class
-- images: images with this label and prediction, count
-- share: of the images with this label, 0 to 1
select run_id, split, task, label, label_name, predicted, predicted_name,
  count(*) as images,
  count(*) / sum(count(*)) over (partition by run_id, split, task, label) as share
from predictions
group by run_id, split, task, label, label_name, predicted, predicted_name
order by run_id, split, task, label, predicted
