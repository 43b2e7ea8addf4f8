-- One state of one person in force from–to, as it looked at one point of knowledge: for every day on which something new was
-- told about the person, the whole line of states known by then is laid out afresh. Of two states starting on the same day the one told
-- later holds. `point` numbers the days of knowledge of a person, `told_on` is the day, `next_told_on` the day it was superseded.
with told_day as (
  select distinct person_id, known_from as told_on from state
),
point as (
  select
    person_id, told_on,
    row_number() over (partition by person_id order by told_on) as point,
    lead(told_on) over (partition by person_id order by told_on) as next_told_on
  from told_day
),
seen as (
  select
    p.person_id, p.point, p.told_on, p.next_told_on, s.valid_from, s.known_from, s.sequence,
    row_number() over (
      partition by p.person_id, p.point, s.valid_from order by s.known_from desc, s.sequence desc
    ) as recency
  from point as p
  join state as s on s.person_id = p.person_id and s.known_from <= p.told_on
)
select
  person_id, point, told_on, next_told_on, valid_from,
  lead(valid_from) over (partition by person_id, point order by valid_from) as valid_to,
  known_from, sequence
from seen
where recency = 1
