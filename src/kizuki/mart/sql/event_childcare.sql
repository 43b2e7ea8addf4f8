-- One month's days of absence of one child in childcare, dated at month end.
select
  l.person_id, 'childcare_absence_days' as kind, last_day(t.month) as happened_on,
  cast(case when t.days_absent is null and t.days_absent_state = 'zero' then 0 else t.days_absent end as double) as value,
  t.days_absent_state as value_state, cast(null as varchar) as code, t.facility,
  t.told_from as known_from, t.told_to as known_to, t.delivery_id, t.child_no as record_id
from told as t
join link as l on l.record_id = t.child_no
