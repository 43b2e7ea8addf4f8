-- One person × household × period of membership, as known from–to; only while resident.
with slice as (
  select t.*, concat_ws('|', household_no, coalesce(relation, '')) as content
  from timeline as t
  where resident_status = 'resident'
)
select
  n.household_id, h.person_id, s.relation, h.valid_from, h.valid_to, h.known_from, h.known_to,
  $source as source, s.delivery_id, s.record_id
from history as h
join slice as s on s.person_id = h.person_id and s.point = h.first_point and s.valid_from = h.valid_from
join household as n on n.household_no = s.household_no
order by household_id, person_id, valid_from, known_from
