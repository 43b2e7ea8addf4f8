-- One person under 支援措置 on the as-of date: by own mark, or by living in the household of someone marked (G6).
with marked as (
  select person_id, min(valid_from) as sealed_from
  from person
  where sealed and known_to is null and valid_from <= $as_of and (valid_to is null or valid_to > $as_of)
  group by person_id
),
member as (
  select household_id, person_id, valid_from
  from household_member
  where known_to is null and valid_from <= $as_of and (valid_to is null or valid_to > $as_of)
),
near as (
  select other.person_id, min(case when m.sealed_from > other.valid_from then m.sealed_from else other.valid_from end) as sealed_from
  from marked as m
  join member as own on own.person_id = m.person_id
  join member as other on other.household_id = own.household_id and other.person_id <> own.person_id
  group by other.person_id
)
select person_id, 'own' as reason, sealed_from from marked
union all
select n.person_id, 'household' as reason, n.sealed_from
from near as n
left join marked as m on m.person_id = n.person_id
where m.person_id is null
order by person_id
