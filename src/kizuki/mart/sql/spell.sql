-- One spell of one person as known from–to: facts of equal content whose knowledge adjoins or overlaps are one row.
-- The evidence is the earliest delivery that told it.
with spell_bounded as (
  select
    person_id, kind, status, facility, detail, amount, valid_from, known_from, known_to, delivery_id, record_id,
    case when gone_on is not null and (valid_to is null or valid_to > gone_on) then gone_on else valid_to end as valid_to
  from fact
  where valid_from is not null
),
spell_told as (
  select
    person_id, kind, status, facility, detail, amount, valid_from, valid_to, known_from,
    max(coalesce(known_to, cast('9999-12-31' as date))) as known_to,
    min(record_id) as record_id,
    arg_min(delivery_id, concat(record_id, '|', delivery_id)) as delivery_id
  from spell_bounded
  where valid_to is null or valid_to > valid_from
  group by person_id, kind, status, facility, detail, amount, valid_from, valid_to, known_from
),
spell_followed as (
  select
    t.*,
    max(t.known_to) over (
      partition by person_id, kind, status, facility, detail, amount, valid_from, valid_to
      order by known_from
      rows between unbounded preceding and 1 preceding
    ) as reached
  from spell_told as t
),
spell_numbered as (
  select
    f.*,
    sum(case when f.known_from <= f.reached then 0 else 1 end) over (
      partition by person_id, kind, status, facility, detail, amount, valid_from, valid_to
      order by known_from
      rows between unbounded preceding and current row
    ) as island
  from spell_followed as f
)
select
  person_id, kind, status, facility, detail, amount, valid_from, valid_to,
  min(known_from) as known_from,
  case when max(known_to) < cast('9999-12-31' as date) then max(known_to) end as known_to,
  $source as source,
  arg_min(delivery_id, known_from) as delivery_id,
  arg_min(record_id, known_from) as record_id
from spell_numbered
group by person_id, kind, status, facility, detail, amount, valid_from, valid_to, island
order by person_id, kind, valid_from, known_from, record_id, status, facility, detail
