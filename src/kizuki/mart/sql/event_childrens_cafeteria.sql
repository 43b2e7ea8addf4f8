-- One visit of one child to a こども食堂.
select
  l.person_id, 'cafeteria_visit' as kind, t.visited_on as happened_on, cast(1 as double) as value, 'known' as value_state,
  t.age_band as code, t.facility, t.told_from as known_from, t.told_to as known_to, t.delivery_id, t.record_id
from told as t
join link as l on l.record_id = t.visit_no
