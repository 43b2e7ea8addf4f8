-- One child (under 20 on the as-of date) × one person of the same household of the register × kind, for each stretch in which they
-- lived together, as known on the as-of date. The kind is read from the two 続柄, both told towards the head of the household.
with child as (
  select distinct person_id
  from person
  where known_to is null and birth_date > cast($as_of - interval 20 year as date)
),
family as (
  select distinct m.household_id
  from household_member as m
  join child as k on k.person_id = m.person_id
  where m.known_to is null
),
placed as (
  select
    m.household_id, person_id, valid_from, coalesce(valid_to, cast('9999-12-31' as date)) as until, known_from, source, delivery_id, record_id,
    case
      when relation = '世帯主' then 'head'
      when relation in ('妻', '夫', '妻（未届）', '夫（未届）') then 'spouse'
      when relation in ('子', '長男', '長女', '養子') then 'child'
      when relation in ('妻の子', '夫の子', '妻（未届）の子', '夫（未届）の子') then 'spouse_child'
      when relation in ('父', '母') then 'parent'
      when relation in ('妻の父', '妻の母', '夫の父', '夫の母', '父の父', '父の母', '母の父', '母の母') then 'elder'
      when relation in ('兄', '弟', '姉', '妹') then 'sibling'
      when relation in ('子の子', '子の妻', '子の夫') then 'descendant'
      when relation = '縁故者' then 'kin'
      else 'other'
    end as place
  from household_member as m
  join family as f on f.household_id = m.household_id
  where known_to is null
),
pair as (
  select
    c.person_id, r.person_id as related_id,
    case
      when c.place = 'child' and r.place = 'head' then 'parent'
      when c.place = 'spouse_child' and r.place = 'spouse' then 'parent'
      when c.place in ('head', 'sibling') and r.place = 'parent' then 'parent'
      when c.place = 'child' and r.place = 'spouse' then 'parent_or_partner'
      when c.place = 'spouse_child' and r.place = 'head' then 'parent_or_partner'
      when c.place in ('child', 'spouse_child') and r.place = c.place then 'sibling'
      when c.place in ('head', 'sibling') and r.place = 'sibling' then 'sibling'
      when c.place = 'sibling' and r.place = 'head' then 'sibling'
      when c.place in ('child', 'spouse_child') and r.place in ('child', 'spouse_child') then 'step_sibling'
      when c.place in ('child', 'spouse_child') and r.place in ('parent', 'elder') then 'grandparent'
      when c.place = 'other' or r.place = 'other' then 'cohabitant'
      else 'relative'
    end as kind,
    case when c.valid_from > r.valid_from then c.valid_from else r.valid_from end as valid_from,
    case when c.until < r.until then c.until else r.until end as until,
    case when c.known_from > r.known_from then c.known_from else r.known_from end as known_from,
    r.source, r.delivery_id, r.record_id
  from child as k
  join placed as c on c.person_id = k.person_id
  join placed as r
    on r.household_id = c.household_id and r.person_id <> c.person_id and r.valid_from < c.until and c.valid_from < r.until
),
followed as (
  select
    p.*,
    max(until) over (
      partition by person_id, related_id, kind order by valid_from rows between unbounded preceding and 1 preceding
    ) as reached
  from pair as p
),
numbered as (
  select
    f.*,
    sum(case when valid_from <= reached then 0 else 1 end) over (
      partition by person_id, related_id, kind order by valid_from rows between unbounded preceding and current row
    ) as island
  from followed as f
)
select
  person_id, related_id, kind, min(valid_from) as valid_from,
  case when max(until) < cast('9999-12-31' as date) then max(until) end as valid_to,
  min(known_from) as known_from,
  arg_min(source, concat_ws('|', cast(valid_from as varchar), record_id, delivery_id)) as source,
  arg_min(delivery_id, concat_ws('|', cast(valid_from as varchar), record_id, delivery_id)) as delivery_id,
  arg_min(record_id, concat_ws('|', cast(valid_from as varchar), record_id, delivery_id)) as record_id
from numbered
group by person_id, related_id, kind, island
