-- one row per run and phase, in the order of training
--
-- run_id: the run
-- phase: part of the run
-- epochs: finished epochs, count
-- images: images trained on, count over all workers
-- seconds: wall time with evaluation, seconds
-- flops: floating-point operations of training by formula, count
-- device_seconds: time that workers held devices to train, seconds times devices (a core or a GPU
--   each), summed over workers
-- evaluation_seconds: wall time of evaluation, seconds
-- evaluation_flops: floating-point operations of evaluation by formula, count; null for older versions
-- evaluation_device_seconds: time of evaluation, seconds times devices; null for older versions
select e.run_id, e.phase, count(*) as epochs, sum(e.images) as images,
  sum(e.seconds) as seconds, sum(e.flops) as flops,
  sum(w.seconds) as device_seconds,
  sum(e.evaluation_seconds) as evaluation_seconds, sum(e.evaluation_flops) as evaluation_flops,
  sum(e.evaluation_device_seconds) as evaluation_device_seconds
from epochs e
left join (select w.run_id, w.epoch,
             -- older versions did not say how many devices
             sum(w.seconds * coalesce(w.devices,
               int(get_json_object(r.config, '$.mixtraining.workers.threads-per-worker')), 1))
               as seconds
           from workers w left join runs r on r.run_id = w.run_id group by w.run_id, w.epoch) w
  on e.run_id = w.run_id and e.epoch = w.epoch
group by e.run_id, e.phase
order by e.run_id, min(e.epoch)
