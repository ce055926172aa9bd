-- one row per run and phase, in the order of training
--
-- run_id: the run
-- phase: part of the run
-- epochs: finished epochs, count
-- images: images trained on, count over all workers
-- seconds: wall time with evaluation, seconds
-- flops: floating-point operations of training by formula, count
-- device_seconds: time that workers held a device, seconds summed over workers
select e.run_id, e.phase, count(*) as epochs, sum(e.images) as images,
  sum(e.seconds) as seconds, sum(e.flops) as flops,
  sum(w.seconds) as device_seconds
from epochs e
left join (select run_id, epoch, sum(seconds) as seconds
           from workers group by run_id, epoch) w
  on e.run_id = w.run_id and e.epoch = w.epoch
group by e.run_id, e.phase
order by e.run_id, min(e.epoch)
