-- One 福祉医療 certificate of one person; its last day is included.
select
  l.person_id, 'medical_subsidy' as kind, t.category as status, cast(null as varchar) as facility,
  cast(null as varchar) as detail, cast(null as double) as amount, t.valid_from,
  cast(t.valid_until + interval 1 day as date) as valid_to,
  t.told_from as known_from, t.told_to as known_to, t.gone_on, t.delivery_id, t.record_id
from told as t
join link as l on l.record_id = t.person_no
