-- One person × source: from when the source can know the person (the later of moving in and the source's first data) until its last
-- data. Rows exist for residents who share a household with someone under 20: children and the adults their households are judged by.
with resident as (
  select person_id, birth_date, coalesce(resident_from, valid_from) as lived_from
  from person
  where resident_status = 'resident' and known_to is null and valid_from <= $as_of and (valid_to is null or valid_to > $as_of)
),
member as (
  select household_id, person_id
  from household_member
  where known_to is null and valid_from <= $as_of and (valid_to is null or valid_to > $as_of)
),
family as (
  select distinct m.household_id
  from member as m
  join resident as r on r.person_id = m.person_id
  where r.birth_date > cast($as_of - interval 20 year as date)
),
concerned as (
  select distinct r.person_id, r.lived_from
  from resident as r
  join member as m on m.person_id = r.person_id
  join family as f on f.household_id = m.household_id
)
select
  c.person_id, w.source,
  case when c.lived_from > w.first_from then c.lived_from else w.first_from end as covered_from,
  w.last_as_of as covered_until
from concerned as c
cross join feed_window as w
order by person_id, source
