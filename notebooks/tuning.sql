-- The best trial of each pipeline in each setting of a comparison, chosen by validation images alone;
-- the test accuracy beside it is what it reports. It is fair where every pipeline has as many trials,
-- as in conf/laptop/tuning.conf.
with ranked as (
  select *,
    count(*) over (
      partition by comparison, dataset, fraction, label_fraction, pipeline) as trials,
    row_number() over (
      partition by comparison, dataset, fraction, label_fraction, pipeline
      order by validation_accuracy desc, flops, arm) as place
  from settings
  where validation_accuracy is not null
)
select comparison, dataset, fraction, label_fraction, pipeline, trials, arm as chosen, runs,
  100 * validation_accuracy as validation_percent,
  100 * validation_accuracy_deviation as validation_deviation,
  100 * accuracy as test_percent, 100 * accuracy_deviation as test_deviation, flops / 1e12 as tflop
from ranked
where place = 1
order by comparison, dataset, fraction desc, label_fraction desc, validation_percent desc, chosen;
