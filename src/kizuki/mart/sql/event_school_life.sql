-- One count of one month of one pupil at school: days, absences, lateness, nurse visits, bullying reports. Dated at month end.
-- A count that was not asked of the pupil gives no row; one asked but not entered gives a row with its state.
with counted as (
  select 'required_days' as kind
  union all select 'absence_days' as kind
  union all select 'late_count' as kind
  union all select 'early_leave_count' as kind
  union all select 'nurse_visits' as kind
  union all select 'bullying_reports' as kind
  union all select 'separate_room_days' as kind
),
month_row as (
  select
    l.person_id, last_day(t.month) as happened_on, t.school_code, t.told_from, t.told_to, t.delivery_id, t.record_id,
    t.days_required, t.days_absent, t.days_absent_state, t.late, t.late_state, t.early_leave, t.early_leave_state,
    t.nurse_visits, t.nurse_visits_state, t.bullying, t.bullying_state, t.separate_room_days, t.separate_room_days_state
  from told as t
  join link as l on l.record_id = t.record_id
),
measured as (
  select
    m.person_id, k.kind, m.happened_on, m.school_code, m.told_from, m.told_to, m.delivery_id, m.record_id,
    case k.kind
      when 'required_days' then m.days_required
      when 'absence_days' then m.days_absent
      when 'late_count' then m.late
      when 'early_leave_count' then m.early_leave
      when 'nurse_visits' then m.nurse_visits
      when 'bullying_reports' then m.bullying
      else m.separate_room_days
    end as amount,
    case k.kind
      when 'required_days' then 'known'
      when 'absence_days' then m.days_absent_state
      when 'late_count' then m.late_state
      when 'early_leave_count' then m.early_leave_state
      when 'nurse_visits' then m.nurse_visits_state
      when 'bullying_reports' then m.bullying_state
      else m.separate_room_days_state
    end as amount_state
  from month_row as m
  cross join counted as k
)
select
  person_id, kind, happened_on,
  cast(case when amount is null and amount_state = 'zero' then 0 else amount end as double) as value,
  amount_state as value_state, cast(null as varchar) as code, school_code as facility,
  told_from as known_from, told_to as known_to, delivery_id, record_id
from measured
where amount is not null or amount_state <> 'not_applicable'
