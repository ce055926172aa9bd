-- The twenty most frequent confusions of classes of a run,
select run_id, task, label_name, predicted_name, images, share
from confusion
where label <> predicted
order by images desc, run_id, task, label, predicted
limit 20;

-- and the twenty most confident mistakes.
select run_id, task, id, label_name, predicted_name, probability
from predictions
where label <> predicted
order by probability desc, run_id, task, id
limit 20;
