-- review_case: One row per record and resident people may be asked about, with what makes it urgent. A pair that waits is not also decided.
with registered as (
  select l.person_id, l.record_id as resident_id from link as l where l.source = $register
), holder as (
  -- of several rows of the register people said to be one person, the first holds the records
  select person_id, min(resident_id) as resident_id from registered group by person_id
), joined as (
  select l.source, l.record_id, g.resident_id, l.rule,
    md5(concat($seed, '|', l.source, '|', l.record_id)) as lot
  from link as l join holder as g on g.person_id = l.person_id
  left join left_out as o on o.source = l.rule
  where l.source <> $register and l.state = 'auto' and o.source is null
), drawn as (
  select *, row_number() over (order by lot, source, record_id) as turn, count(*) over () as eligible from joined
), asked as (
  select source, record_id, resident_id, 'waiting' as state, reason as rule,
    cast(null as varchar) as lot, cast(null as bigint) as eligible
  from review_pair
  union all
  select d.source, d.record_id, d.resident_id, 'decided', 'decision',
    cast(null as varchar), cast(null as bigint)
  from decided as d
  left join review_pair as p on p.source = d.source and p.record_id = d.record_id and p.resident_id = d.resident_id
  where p.source is null
  union all
  select source, record_id, resident_id, 'automatic', rule, lot, eligible
  from drawn where turn <= $pool
), rivals as (
  select source, record_id, count(*) as candidates from review_pair group by source, record_id
), resident as (
  select r.record_id as resident_id, g.person_id, r.birth_date,
    count(*) over (partition by r.name_key) as same_name,
    count(*) over (partition by r.kana_key, r.birth_date) as same_reading
  from register_record as r join registered as g on g.resident_id = r.record_id
), living as (
  select distinct m.household_id, m.person_id, r.birth_date
  from household_member as m join resident as r on r.person_id = m.person_id
  where m.known_to is null and m.valid_to is null
), twin as (
  select distinct a.person_id
  from living as a
  join living as b on b.household_id = a.household_id and b.person_id <> a.person_id and b.birth_date = a.birth_date
), sealed as (
  select distinct person_id from seal
)
select a.source, a.record_id, a.resident_id, r.person_id, l.person_id as other_person_id, a.state, a.rule,
  a.lot, a.eligible,
  coalesce(v.candidates, 0) > 1 or t.person_id is not null or r.same_name > 1 or r.same_reading > 1 as look_alike,
  s.person_id is not null as sealed,
  e.source is not null and r.birth_date > $adult_born_on as evidence_of_child,
  c.source is not null as sensitive
from asked as a
join resident as r on r.resident_id = a.resident_id
join link as l on l.source = a.source and l.record_id = a.record_id
left join rivals as v on a.state = 'waiting' and v.source = a.source and v.record_id = a.record_id
left join twin as t on t.person_id = r.person_id
left join sealed as s on s.person_id = r.person_id
left join evidence_source as e on e.source = a.source
left join careful_source as c on c.source = a.source
