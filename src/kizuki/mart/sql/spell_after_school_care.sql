-- One use of after-school care by one child; amount = months in arrears, status 減免 while the fee is reduced.
select
  l.person_id, 'after_school_care' as kind, case when t.reduction = '1' then '減免' end as status, t.facility,
  cast(t.grade as varchar) as detail, cast(coalesce(t.arrears_months, 0) as double) as amount, t.started_on as valid_from,
  cast(t.ended_on + interval 1 day as date) as valid_to,
  t.told_from as known_from, t.told_to as known_to, t.gone_on, t.delivery_id, t.record_id
from told as t
join link as l on l.record_id = t.use_no
