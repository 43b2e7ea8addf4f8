-- One spell of one person as known from–to: facts of equal content whose knowledge adjoins or overlaps are one row.
-- The evidence is the earliest delivery that told it.
with spell_bounded as (
  select
    person_id, kind, status, facility, detail, amount, valid_from, known_from, known_to, delivery_id, record_id,
    case when gone_on is not null and (valid_to is null or valid_to > gone_on) then gone_on else valid_to end as valid_to
  from fact
  where valid_from is not null
),
spell_followed as (
  select
    b.*,
    max(coalesce(b.known_to, cast('9999-12-31' as date))) over (
      partition by person_id, kind, status, facility, detail, amount, valid_from, valid_to
      order by known_from, record_id, delivery_id
      rows between unbounded preceding and 1 preceding
    ) as reached
  from spell_bounded as b
  where valid_to is null or valid_to > valid_from
),
spell_numbered as (
  select
    f.*,
    sum(case when f.known_from <= f.reached then 0 else 1 end) over (
      partition by person_id, kind, status, facility, detail, amount, valid_from, valid_to
      order by known_from, record_id, delivery_id
      rows between unbounded preceding and current row
    ) as island
  from spell_followed as f
)
select
  person_id, kind, status, facility, detail, amount, valid_from, valid_to,
  min(known_from) as known_from,
  case when count(known_to) < count(*) then cast(null as date) else max(known_to) end as known_to,
  $source as source,
  arg_min(delivery_id, concat(cast(known_from as varchar), '|', record_id, '|', delivery_id)) as delivery_id,
  arg_min(record_id, concat(cast(known_from as varchar), '|', record_id, '|', delivery_id)) as record_id
from spell_numbered
group by person_id, kind, status, facility, detail, amount, valid_from, valid_to, island
order by person_id, kind, valid_from, known_from, record_id, status, facility, detail
