-- The best arm of each setting of a comparison, and its gain over the baseline.
with ranked as (
  select *, rank() over (
      partition by comparison, dataset, fraction, label_fraction
      order by accuracy desc, device_seconds) as place
  from settings
  where accuracy is not null
)
select comparison, dataset, fraction, label_fraction, arm, runs,
  100 * accuracy as test_percent, 100 * accuracy_deviation as deviation,
  100 * gain as points_gained, times_cheaper, times_fewer_flops
from ranked
where place = 1
order by comparison, dataset, fraction desc, label_fraction desc;
