-- Workers that an epoch waited for: those that took a quarter longer than its median worker.
with rated as (
  select run_id, epoch, worker, host, executor, attempt, images, seconds, wait_seconds,
    percentile(seconds, 0.5) over (partition by run_id, epoch) as median_seconds
  from workers
)
select run_id, host, worker, count(*) as epochs,
  avg(seconds / median_seconds) as times_the_median,
  sum(seconds - median_seconds) as seconds_beyond,
  avg(wait_seconds / seconds) as wait_share, max(attempt) as attempts
from rated
where seconds > 1.25 * median_seconds
group by run_id, host, worker
order by seconds_beyond desc;
