-- one row per finished run on the Pareto front: no other run on the same images is both as accurate
--   and as cheap, and better in one of the two
--
-- dataset_fingerprint: fingerprint of the dataset's content; of several, all of them
-- dataset_path: directory of the image shards; of several tasks, all of them
-- run_id: the run
-- pipeline: order of the objectives
-- model: model preset
-- seed: seed of the run
-- accuracy: test accuracy of the model that was best on validation, or else the final one, 0 to 1
-- device_seconds: time that workers held devices to train, seconds times devices (a core or a GPU
--   each), summed over workers; evaluation is apart
-- seconds: wall time of the epochs with evaluation, seconds
-- flops: floating-point operations of training by formula, count
-- evaluation_device_seconds: the same time of evaluation; null for older versions
-- evaluation_flops: the same of evaluation; null for older versions
with finished as (
  select dataset_fingerprint, dataset_path, run_id, pipeline, model, seed,
    coalesce(test_accuracy_at_best, final_test_accuracy) as accuracy,
    -- older versions counted a worker as one device
    device_seconds * if(devices is null,
      coalesce(int(get_json_object(config, '$.mixtraining.workers.threads-per-worker')), 1), 1)
      as device_seconds,
    seconds, flops, evaluation_device_seconds, evaluation_flops
  from runs where status = 'finished'
)
select * from finished f
where accuracy is not null and not exists (
  select 1 from finished o
  where o.dataset_fingerprint = f.dataset_fingerprint
    and o.accuracy >= f.accuracy and o.device_seconds <= f.device_seconds
    and (o.accuracy > f.accuracy or o.device_seconds < f.device_seconds))
order by dataset_fingerprint, device_seconds, run_id
