-- One state of one person in the resident register, from changed_on on, as first told on known_from.
-- A resident whom a later full extract no longer carries gets one last state, `gone`.
select
  l.person_id, t.record_id, t.delivery_id,
  case when t.gone_on is null then t.changed_on else t.gone_on end as valid_from,
  t.told_from as known_from,
  concat(t.record_id, '|', lpad(cast(t.line as varchar), 10, '0')) as sequence,
  t.person_no, t.household_no, t.name, t.kana, t.former_family_name, t.alias_name, t.birth_date, t.sex, t.relation,
  t.resident_from, t.address, t.address_extra, t.postcode, t.resident_type,
  case
    when t.gone_on is not null then 'gone'
    when t.resident_status = '1' then 'resident'
    when t.resident_status = '2' then 'moved_out'
    else 'deceased'
  end as resident_status,
  case when t.gone_on is null then t.change_reason end as change_reason,
  coalesce(t.restraint_flag, '0') = '1' as sealed
from told as t
join link as l on l.record_id = t.person_no
where t.gone_on is null or t.resident_status = '1'
