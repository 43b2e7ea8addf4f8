-- review_history: One row per period the register tells of one side of a pair of two residents: a name, a stay in the city, an address, or
-- a household (with how many lived there, and how many of those the other side's households know by the same name and birth date).
-- Only what is held true now. A name or an address taken up again later is one period, from its first day to its last.
with side as (
  select pair_id, 'record' as side, other_person_id as person_id, person_id as other_person_id, record_id from review_case where source = $register
  union all
  select pair_id, 'resident', person_id, other_person_id, resident_id from review_case where source = $register
), known as (
  select s.pair_id, s.side, p.name, p.kana, p.resident_status, p.resident_from, p.resident_until, p.valid_from, p.valid_to,
    row_number() over (partition by s.pair_id, s.side, p.resident_from order by p.valid_from desc, p.resident_until) as back
  from side as s
  join person as p on p.person_id = s.person_id and p.source = $register and p.record_id = s.record_id and p.known_to is null
), lived as (
  select s.pair_id, s.side, m.household_id, m.relation, min(m.valid_from) as valid_from,
    case when count(m.valid_to) = count(*) then max(m.valid_to) end as valid_to
  from side as s
  join household_member as m
    on m.person_id = s.person_id and m.source = $register and m.record_id = s.record_id and m.known_to is null
  group by s.pair_id, s.side, m.household_id, m.relation
), housemate as (
  select distinct l.pair_id, l.side, l.household_id, l.relation, m.person_id
  from lived as l
  join household_member as m on m.household_id = l.household_id and m.known_to is null
    and (l.valid_to is null or m.valid_from < l.valid_to) and (m.valid_to is null or m.valid_to > l.valid_from)
), called as (
  select distinct h.pair_id, h.side, h.household_id, h.relation, h.person_id, p.name, p.birth_date
  from housemate as h
  join side as s on s.pair_id = h.pair_id and s.side = h.side and s.person_id <> h.person_id and s.other_person_id <> h.person_id
  join person as p on p.person_id = h.person_id and p.known_to is null
), met as (
  select a.pair_id, a.side, a.household_id, a.relation, count(distinct a.person_id) as met_again
  from called as a
  join called as b on b.pair_id = a.pair_id and b.side <> a.side and b.name = a.name and b.birth_date = a.birth_date
  group by a.pair_id, a.side, a.household_id, a.relation
), counted as (
  select pair_id, side, household_id, relation, count(*) as members from housemate group by pair_id, side, household_id, relation
), period as (
  select pair_id, side, 'name' as kind, min(valid_from) as valid_from, case when count(valid_to) = count(*) then max(valid_to) end as valid_to,
    name, kana, cast(null as varchar) as status, cast(null as varchar) as address, cast(null as varchar) as relation,
    cast(null as bigint) as members, cast(null as bigint) as met_again
  from known group by pair_id, side, name, kana
  union all
  select pair_id, side, 'stay', resident_from, resident_until, null, null, resident_status, null, null, null, null
  from known where back = 1
  union all
  select s.pair_id, s.side, 'address', min(r.valid_from), case when count(r.valid_to) = count(*) then max(r.valid_to) end,
    null, null, null, concat(coalesce(r.address, ''), case when r.address_extra is null then '' else concat(' ', r.address_extra) end), null, null, null
  from side as s
  join residence as r on r.person_id = s.person_id and r.source = $register and r.record_id = s.record_id and r.known_to is null
  group by s.pair_id, s.side, r.address, r.address_extra
  union all
  select l.pair_id, l.side, 'household', l.valid_from, l.valid_to, null, null, null, null, l.relation, c.members, coalesce(m.met_again, 0)
  from lived as l
  left join counted as c on c.pair_id = l.pair_id and c.side = l.side and c.household_id = l.household_id
    and c.relation is not distinct from l.relation
  left join met as m on m.pair_id = l.pair_id and m.side = l.side and m.household_id = l.household_id
    and m.relation is not distinct from l.relation
)
select p.pair_id, p.side, s.person_id, s.other_person_id, p.kind, p.valid_from, p.valid_to, p.name, p.kana, p.status, p.address, p.relation,
  p.members, p.met_again
from period as p
join side as s on s.pair_id = p.pair_id and s.side = p.side
