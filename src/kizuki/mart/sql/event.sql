-- One dated happening of one person, as known from–to.
select
  person_id, kind, happened_on, value, value_state, code, facility, known_from, known_to,
  $source as source, delivery_id, record_id
from fact
where happened_on is not null
order by person_id, kind, happened_on, known_from, record_id, code
