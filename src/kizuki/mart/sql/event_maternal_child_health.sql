-- One check-up or visit (code = kind:attendance:result), and one row for each thing measured there. A thing not asked at an occasion
-- gives no row; a thing asked but not entered gives a row with its state.
with seen as (
  select
    l.person_id, t.kind as occasion, t.attendance, t.result, t.held_on, t.told_from, t.told_to, t.delivery_id, t.record_id,
    t.epds_total, t.epds_total_state, t.epds_item10, t.epds_item10_state, t.caries, t.caries_state,
    t.gestation_weeks, t.gestation_weeks_state, t.married, t.married_state, t.smoking, t.smoking_state,
    t.vaccine_delay_count, t.vaccine_delay_count_state, t.poor_weight_gain, t.poor_weight_gain_state
  from told as t
  join link as l on l.record_id = t.ledger_no
),
asked as (
  select 'epds_total' as kind
  union all select 'epds_item10' as kind
  union all select 'caries' as kind
  union all select 'vaccine_delay' as kind
  union all select 'poor_weight_gain' as kind
  union all select 'pregnancy_notice' as kind
  union all select 'pregnancy_unmarried' as kind
  union all select 'pregnancy_smoking' as kind
),
measured as (
  select
    s.person_id, a.kind, s.held_on, s.occasion, s.told_from, s.told_to, s.delivery_id, s.record_id,
    case a.kind
      when 'epds_total' then cast(s.epds_total as double)
      when 'epds_item10' then cast(s.epds_item10 as double)
      when 'caries' then cast(s.caries as double)
      when 'vaccine_delay' then cast(s.vaccine_delay_count as double)
      when 'poor_weight_gain' then cast(s.poor_weight_gain as double)
      when 'pregnancy_notice' then cast(s.gestation_weeks as double)
      when 'pregnancy_unmarried' then 1 - cast(s.married as double)
      else cast(s.smoking as double)
    end as value,
    case a.kind
      when 'epds_total' then s.epds_total_state
      when 'epds_item10' then s.epds_item10_state
      when 'caries' then s.caries_state
      when 'vaccine_delay' then s.vaccine_delay_count_state
      when 'poor_weight_gain' then s.poor_weight_gain_state
      when 'pregnancy_notice' then s.gestation_weeks_state
      when 'pregnancy_unmarried' then s.married_state
      else s.smoking_state
    end as value_state
  from seen as s
  cross join asked as a
)
select
  person_id, 'checkup' as kind, held_on as happened_on, cast(1 as double) as value, 'known' as value_state,
  concat(occasion, ':', attendance, ':', coalesce(result, '')) as code, cast(null as varchar) as facility,
  told_from as known_from, told_to as known_to, delivery_id, record_id
from seen
where occasion not in ('妊娠届', '予防接種')
union all
select
  person_id, kind, held_on as happened_on, value, value_state, occasion as code, cast(null as varchar) as facility,
  told_from as known_from, told_to as known_to, delivery_id, record_id
from measured
where value is not null or value_state in ('not_entered', 'not_collected')
