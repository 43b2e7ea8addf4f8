-- One change of one child's childcare from a month on, as first told on known_from: facility, certification, fee class, arrears,
-- or `present` = false from the first delivered month the child is missing in. A month that only confirms the last writing of the
-- month before, and was not told earlier, changes nothing at any point of knowledge and is left out.
with writing as (
  select
    l.person_id, c.month, c.known_from, c.facility, c.certification, c.fee_class, c.arrears_months, c.delivery_id, c.record_id, c.line
  from conformed as c
  join link as l on l.record_id = c.child_no
),
delivered as (
  select month, min(known_from) as told_on, min(delivery_id) as delivery_id from conformed group by month
),
first_told as (
  select person_id, month, min(known_from) as told_on from writing group by person_id, month
),
tenure as (
  select person_id, min(month) as first_month, min(record_id) as record_id from writing group by person_id
),
absent as (
  select n.person_id, d.month, d.told_on as known_from, d.delivery_id, n.record_id
  from tenure as n
  join delivered as d on d.month > n.first_month
  left join first_told as f on f.person_id = n.person_id and f.month = d.month
  where f.told_on is null or f.told_on > d.told_on
),
stated as (
  select
    person_id, month as valid_from, known_from, true as present, facility, certification, fee_class,
    coalesce(arrears_months, 0) as arrears_months, delivery_id, record_id,
    concat(record_id, '|', lpad(cast(line as varchar), 10, '0')) as sequence
  from writing
  union all
  select
    person_id, month as valid_from, known_from, false as present, cast(null as varchar) as facility,
    cast(null as varchar) as certification, cast(null as varchar) as fee_class, 0 as arrears_months, delivery_id, record_id,
    '' as sequence
  from absent
),
summed as (
  select
    s.*,
    concat_ws(
      '|', case when present then '1' else '0' end, coalesce(facility, ''), coalesce(certification, ''), coalesce(fee_class, ''),
      cast(arrears_months as varchar)
    ) as content
  from stated as s
),
followed as (
  select
    s.*,
    lag(content) over (partition by person_id order by valid_from, known_from, sequence) as last_content,
    lag(known_from) over (partition by person_id order by valid_from, known_from, sequence) as last_known_from
  from summed as s
)
select
  person_id, valid_from, known_from, sequence, present, facility, certification, fee_class, arrears_months, content,
  delivery_id, record_id
from followed
where not (coalesce(last_content, '') = content and last_known_from <= known_from)
