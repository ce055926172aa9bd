-- The twenty mix-ups of classes that cost a run the most images,
select run_id, task, label_name, predicted_name, images, share
from confusion
where label <> predicted
order by images desc, run_id, task, label, predicted
limit 20;

-- and the twenty images that it was surest about, and wrong.
select run_id, task, id, label_name, predicted_name, probability
from predictions
where label <> predicted
order by probability desc, run_id, task, id
limit 20;
