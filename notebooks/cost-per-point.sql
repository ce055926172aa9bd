-- What a point of test accuracy costs: device seconds and TFLOP of training, cheapest first within
-- a dataset.
select dataset_path, run_id, pipeline, model,
  100 * coalesce(test_accuracy_at_best, final_test_accuracy) as test_percent,
  device_seconds,
  device_seconds / (100 * coalesce(test_accuracy_at_best, final_test_accuracy))
    as device_seconds_a_point,
  flops / 1e12 / (100 * coalesce(test_accuracy_at_best, final_test_accuracy)) as tflop_a_point
from runs
where status = 'finished' and coalesce(test_accuracy_at_best, final_test_accuracy) > 0
order by dataset_path, device_seconds_a_point;

-- And the cost of each further point along the Pareto front.
select dataset_path, run_id, 100 * accuracy as test_percent, device_seconds,
  (device_seconds - lag(device_seconds) over front)
    / (100 * (accuracy - lag(accuracy) over front)) as device_seconds_a_further_point
from pareto
window front as (partition by dataset_fingerprint order by device_seconds)
order by dataset_path, device_seconds;
