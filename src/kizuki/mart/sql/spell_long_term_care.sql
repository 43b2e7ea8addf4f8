-- One certification of one insured person; its last day is included.
select
  l.person_id, 'long_term_care' as kind, coalesce(c.label, t.care_level) as status, cast(null as varchar) as facility,
  t.service as detail, cast(null as double) as amount, t.certified_from as valid_from,
  cast(t.certified_until + interval 1 day as date) as valid_to,
  t.told_from as known_from, t.told_to as known_to, t.gone_on, t.delivery_id, t.person_no as record_id
from told as t
join link as l on l.record_id = t.person_no
left join category as c on c.source = 'long_term_care' and c.field = 'care_level' and c.code = t.care_level
