-- One school year of one child in the school register, and one row each for school aid, non-enrolment and unknown whereabouts that year.
with year_row as (
  select
    l.person_id, t.class_type, t.school_name, t.grade, t.told_from, t.told_to, t.gone_on, t.delivery_id, t.record_id,
    coalesce(t.school_aid, '0') as school_aid, coalesce(t.non_enrolled, '0') as non_enrolled,
    coalesce(t.whereabouts_unknown, '0') as whereabouts_unknown,
    make_date(cast(t.fiscal_year as int), 4, 1) as valid_from,
    make_date(cast(t.fiscal_year as int) + 1, 4, 1) as valid_to
  from told as t
  join link as l on l.record_id = t.person_no
),
asked as (
  select 'enrolment' as kind
  union all select 'school_aid' as kind
  union all select 'non_enrolled' as kind
  union all select 'whereabouts_unknown' as kind
)
select
  y.person_id, a.kind,
  case when a.kind = 'enrolment' then y.class_type end as status,
  case when a.kind = 'enrolment' then y.school_name end as facility,
  case when a.kind = 'enrolment' then cast(y.grade as varchar) end as detail,
  cast(null as double) as amount, y.valid_from, y.valid_to, y.told_from as known_from, y.told_to as known_to, y.gone_on,
  y.delivery_id, y.record_id
from year_row as y
cross join asked as a
where a.kind = 'enrolment'
  or (a.kind = 'school_aid' and y.school_aid = '1')
  or (a.kind = 'non_enrolled' and y.non_enrolled = '1')
  or (a.kind = 'whereabouts_unknown' and y.whereabouts_unknown = '1')
