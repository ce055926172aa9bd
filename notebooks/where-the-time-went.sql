-- Where the wall time of each run went, in seconds: training steps, waiting for images, averaging
-- the models, evaluation, and the rest.
select run_id, phase, sum(seconds) as seconds,
  sum(compute_seconds) as compute, sum(wait_seconds) as data_wait,
  sum(sync_seconds) as sync, sum(evaluation_seconds) as evaluation,
  sum(images) / sum(compute_seconds + wait_seconds) as images_a_second
from epochs
group by run_id, phase
order by run_id, min(epoch);
