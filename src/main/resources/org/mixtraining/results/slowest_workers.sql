-- one row per run and epoch: the slowest worker compared with the mean of all workers
--
-- run_id: the run
-- epoch: position in the run, from 1
-- worker: the slowest worker, from 0
-- host: where it ran
-- executor: Spark's id of the executor that it ran on
-- device: its device
-- seconds: its time
-- mean_seconds: mean time of all workers
-- times_mean: its time divided by the mean
-- images: images that it trained on
-- mean_images: images that workers trained on, on average
select run_id, epoch, worker, host, executor, device, seconds, mean_seconds,
  seconds / mean_seconds as times_mean, images, mean_images
from (select *,
        avg(seconds) over (partition by run_id, epoch) as mean_seconds,
        avg(images) over (partition by run_id, epoch) as mean_images,
        row_number() over (partition by run_id, epoch order by seconds desc, worker) as place
      from workers)
where place = 1
order by run_id, epoch
