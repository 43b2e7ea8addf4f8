-- One period of public assistance of one person; the day of abolition is no longer part of it.
select
  l.person_id, 'public_assistance' as kind, t.household_type as status, cast(null as varchar) as facility,
  t.aid_types as detail, cast(null as double) as amount, t.started_on as valid_from, t.ended_on as valid_to,
  t.told_from as known_from, t.told_to as known_to, t.gone_on, t.delivery_id, t.record_id
from told as t
join link as l on l.record_id = t.person_no
