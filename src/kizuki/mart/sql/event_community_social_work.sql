-- One consultation of one adult with a community social worker.
select
  l.person_id, 'csw_consultation' as kind, t.consulted_on as happened_on, cast(1 as double) as value, 'known' as value_state,
  t.category as code, cast(null as varchar) as facility, t.told_from as known_from, t.told_to as known_to, t.delivery_id,
  t.record_id
from told as t
join link as l on l.record_id = t.consult_no
