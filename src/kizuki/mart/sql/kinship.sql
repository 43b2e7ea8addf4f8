-- One child × one related person × kind × stretch told by one source, with whether they live together on the as-of date.
with stretch as (
  select person_id, related_id, kind, valid_from, valid_to, known_from, source, delivery_id, record_id
  from fact
),
home as (
  select household_id, person_id
  from household_member
  where known_to is null and valid_from <= $as_of and (valid_to is null or valid_to > $as_of)
),
housemate as (
  select distinct a.person_id, b.person_id as related_id
  from (select distinct person_id from stretch) as c
  join home as a on a.person_id = c.person_id
  join home as b on b.household_id = a.household_id and b.person_id <> a.person_id
)
select
  f.person_id, f.related_id, f.kind, $basis as basis, h.person_id is not null as together, f.valid_from, f.valid_to,
  f.known_from, f.source, f.delivery_id, f.record_id
from stretch as f
left join housemate as h on h.person_id = f.person_id and h.related_id = f.related_id
where f.valid_from <= $as_of and f.person_id <> f.related_id
order by f.person_id, f.related_id, f.kind, f.valid_from
