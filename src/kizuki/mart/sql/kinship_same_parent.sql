-- One child × one other child of the same parent, from the day both were told to be; they need never have lived together.
with parent as (
  select person_id, related_id as parent_id, min(valid_from) as since, min(known_from) as known_from
  from cohabited
  where kind = 'parent'
  group by person_id, related_id
),
pair as (
  select
    a.person_id, b.person_id as related_id, a.parent_id,
    case when a.since > b.since then a.since else b.since end as valid_from,
    case when a.known_from > b.known_from then a.known_from else b.known_from end as known_from
  from parent as a
  join parent as b on b.parent_id = a.parent_id and b.person_id <> a.person_id
  left join cohabited as c on c.person_id = a.person_id and c.related_id = b.person_id and c.kind = 'sibling'
  where c.person_id is null
),
evidence as (
  select
    person_id, related_id,
    arg_min(source, concat_ws('|', cast(valid_from as varchar), record_id)) as source,
    arg_min(delivery_id, concat_ws('|', cast(valid_from as varchar), record_id)) as delivery_id,
    arg_min(record_id, concat_ws('|', cast(valid_from as varchar), record_id)) as record_id
  from cohabited
  where kind = 'parent'
  group by person_id, related_id
)
select
  p.person_id, p.related_id, 'sibling' as kind, min(p.valid_from) as valid_from, cast(null as date) as valid_to,
  min(p.known_from) as known_from,
  min(e.source) as source, min(e.delivery_id) as delivery_id, min(e.record_id) as record_id
from pair as p
join evidence as e on e.person_id = p.related_id and e.related_id = p.parent_id
group by p.person_id, p.related_id
