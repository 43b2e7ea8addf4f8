-- One person under 支援措置 on the as-of date: by own mark, by living in the household of someone marked, or by having lived there
-- while the mark stood (G6). Who lived there knows the place: their old address and school would tell it.
with marked as (
  select person_id, min(valid_from) as sealed_from
  from person
  where sealed and known_to is null and valid_from <= $as_of and (valid_to is null or valid_to > $as_of)
  group by person_id
),
lived as (
  select household_id, person_id, valid_from, valid_to
  from household_member
  where known_to is null and valid_from <= $as_of
),
home as (
  select m.person_id, l.household_id, m.sealed_from
  from marked as m
  join lived as l on l.person_id = m.person_id and (l.valid_to is null or l.valid_to > $as_of)
),
near as (
  select
    other.person_id,
    max(case when other.valid_to is null or other.valid_to > $as_of then 1 else 0 end) as living,
    min(case when own.sealed_from > other.valid_from then own.sealed_from else other.valid_from end) as sealed_from
  from home as own
  join lived as other on other.household_id = own.household_id and other.person_id <> own.person_id
  where other.valid_to is null or other.valid_to > $as_of or other.valid_to > own.sealed_from
  group by other.person_id
)
select person_id, 'own' as reason, sealed_from from marked
union all
select n.person_id, case when n.living = 1 then 'household' else 'former_household' end as reason, n.sealed_from
from near as n
left join marked as m on m.person_id = n.person_id
where m.person_id is null
order by person_id
