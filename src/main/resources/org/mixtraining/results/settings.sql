-- one row per comparison, setting (dataset, fraction, label_fraction) and arm
--
-- comparison: name of the comparison
-- dataset: the dataset, by its name in the comparison
-- fraction: share of the training images used, 0 to 1
-- label_fraction: share of their labels used, 0 to 1
-- arm: the arm, by its name in the comparison
-- runs: finished runs, count
-- planned: runs of the comparison, count
-- accuracy: test accuracy of the model that is best on validation, 0 to 1, mean over seeds
-- accuracy_deviation: its standard deviation over seeds; null for one seed
-- device_seconds: time that workers held devices to train, without waiting for them, seconds times
--   devices (a core or a GPU each), mean per run; evaluation is apart
-- wall_seconds: wall time of the epochs with evaluation, seconds, mean per run
-- flops: floating-point operations of training by formula, count, mean per run
-- gain: accuracy minus the baseline's, −1 to 1, mean over the seeds that both have
-- gain_margin: half the width of the gain's 95 % confidence interval, by Student's t of the seeds'
--   differences; null for one seed, and for the baseline
-- times_cheaper: the baseline's device seconds over the arm's, for those seeds
-- times_fewer_flops: the baseline's FLOPs over the arm's, for those seeds
-- ahead: whether it has higher accuracy in less time than the baseline
-- pareto: whether no arm of the setting is both as accurate and as cheap
-- pipeline: order of the objectives
-- validation_accuracy: highest validation accuracy of any epoch, 0 to 1, mean over seeds: use
--   it to choose an arm
-- validation_accuracy_deviation: its standard deviation over seeds; null for one seed
-- evaluation_device_seconds: time of evaluation, seconds times devices, mean per run; null of older
--   versions
-- evaluation_flops: floating-point operations of evaluation by formula, count, mean per run; null of
--   older versions
with finished as (
  select c.*, r.seed, r.seconds, r.flops, r.pipeline, r.best_validation_accuracy,
    r.evaluation_device_seconds, r.evaluation_flops,
    -- older versions counted a worker as one device
    r.device_seconds * if(r.devices is null,
      coalesce(int(get_json_object(r.config, '$.mixtraining.workers.threads-per-worker')), 1), 1)
      as device_seconds,
    coalesce(r.test_accuracy_at_best, r.final_test_accuracy) as accuracy
  from comparisons c
  left join runs r on r.run_id = c.run_id and r.status = 'finished'
), arms as (
  select f.comparison, f.dataset, f.fraction, f.label_fraction, f.arm,
    count(f.seed) as runs, count(*) as planned,
    avg(f.accuracy) as accuracy, stddev_samp(f.accuracy) as accuracy_deviation,
    avg(f.device_seconds) as device_seconds, avg(f.seconds) as wall_seconds,
    avg(f.flops) as flops,
    avg(f.accuracy - b.accuracy) as gain,
    student_t(0.975D, count(f.accuracy - b.accuracy) - 1)
      * stddev_samp(if(f.arm = f.baseline, null, f.accuracy - b.accuracy))
      / sqrt(count(f.accuracy - b.accuracy)) as gain_margin,
    sum(b.device_seconds) / sum(if(b.seed is null, null, f.device_seconds))
      as times_cheaper,
    sum(b.flops) / sum(if(b.seed is null, null, f.flops)) as times_fewer_flops,
    any_value(f.pipeline, true) as pipeline,
    avg(f.best_validation_accuracy) as validation_accuracy,
    stddev_samp(f.best_validation_accuracy) as validation_accuracy_deviation,
    avg(f.evaluation_device_seconds) as evaluation_device_seconds,
    avg(f.evaluation_flops) as evaluation_flops
  from finished f
  left join finished b on b.comparison = f.comparison and b.dataset = f.dataset
    and b.fraction = f.fraction and b.label_fraction = f.label_fraction
    and b.seed = f.seed and b.arm = f.baseline
  group by f.comparison, f.dataset, f.fraction, f.label_fraction, f.arm
)
select comparison, dataset, fraction, label_fraction, arm, runs, planned, accuracy,
  accuracy_deviation, device_seconds, wall_seconds, flops, gain, gain_margin, times_cheaper,
  times_fewer_flops, gain > 0 and times_cheaper > 1 as ahead,
  coalesce(
    accuracy = max(accuracy) over (
      partition by comparison, dataset, fraction, label_fraction
      order by device_seconds)
    and rank() over (
      partition by comparison, dataset, fraction, label_fraction, accuracy
      order by device_seconds) = 1,
    false) as pareto,
  pipeline, validation_accuracy, validation_accuracy_deviation, evaluation_device_seconds,
  evaluation_flops
from arms
order by comparison, dataset, fraction desc, label_fraction desc, arm
