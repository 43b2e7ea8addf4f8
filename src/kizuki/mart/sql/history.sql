-- One stretch of equal content of one person as known from–to, made from `slice` (states at every point of knowledge):
-- equal neighbours in valid time are joined first, then equal stretches over successive points of knowledge.
-- first_point is the point of knowledge that told it first.
with history_compared as (
  select
    s.*,
    case
      when lag(content) over (partition by person_id, point order by valid_from) = content
        and lag(valid_to) over (partition by person_id, point order by valid_from) = valid_from then 0
      else 1
    end as starts
  from slice as s
),
history_numbered as (
  select
    c.*,
    sum(starts) over (partition by person_id, point order by valid_from rows between unbounded preceding and current row) as stretch
  from history_compared as c
),
history_joined as (
  select
    person_id, point, told_on, next_told_on, content,
    min(valid_from) as valid_from,
    case when count(valid_to) < count(*) then cast(null as date) else max(valid_to) end as valid_to
  from history_numbered
  group by person_id, point, told_on, next_told_on, content, stretch
),
history_lasting as (
  select
    j.*,
    point - row_number() over (partition by person_id, content, valid_from, valid_to order by point) as era
  from history_joined as j
)
select
  person_id, content, valid_from, valid_to,
  min(told_on) as known_from,
  case when count(next_told_on) < count(*) then cast(null as date) else max(next_told_on) end as known_to,
  min(point) as first_point
from history_lasting
group by person_id, content, valid_from, valid_to, era
