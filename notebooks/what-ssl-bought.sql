-- The gain of self-supervision: every arm of a comparison beside its supervised arm (pipeline sl),
-- if there is one.
with arms as (
  select c.comparison, c.dataset, c.fraction, c.label_fraction, c.arm,
    any_value(r.pipeline) as pipeline,
    avg(coalesce(r.test_accuracy_at_best, r.final_test_accuracy)) as accuracy,
    avg(r.flops) as flops
  from comparisons c join runs r on r.run_id = c.run_id and r.status = 'finished'
  group by c.comparison, c.dataset, c.fraction, c.label_fraction, c.arm
)
select a.comparison, a.dataset, a.fraction, a.label_fraction, a.arm,
  100 * a.accuracy as test_percent, 100 * s.accuracy as supervised_percent,
  100 * (a.accuracy - s.accuracy) as points_bought,
  (a.flops - s.flops) / 1e12 as for_tflop
from arms a
left join arms s on s.comparison = a.comparison and s.dataset = a.dataset
  and s.fraction = a.fraction and s.label_fraction = a.label_fraction and s.pipeline = 'sl'
where a.pipeline <> 'sl'
order by a.comparison, a.dataset, a.fraction desc, a.label_fraction desc, points_bought desc;
