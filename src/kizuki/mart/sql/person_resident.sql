-- One person of the resident register × period in which name, birth, status and register data stay the same, as known from–to.
with slice as (
  select
    t.*,
    md5(concat_ws(
      '|', person_no, coalesce(name, ''), coalesce(kana, ''), coalesce(former_family_name, ''), coalesce(alias_name, ''),
      coalesce(cast(birth_date as varchar), ''), coalesce(sex, ''), coalesce(resident_type, ''), resident_status,
      coalesce(cast(resident_from as varchar), ''), case when sealed then '1' else '0' end
    )) as content
  from timeline as t
)
select
  h.person_id, h.valid_from, h.valid_to, h.known_from, h.known_to,
  s.person_no, s.name, s.kana, s.former_family_name, s.alias_name, s.birth_date, s.sex, s.resident_type, s.resident_status,
  s.resident_from,
  case when s.resident_status = 'resident' then cast(null as date) else h.valid_from end as resident_until,
  s.sealed, $source as source, s.delivery_id, s.record_id
from history as h
join slice as s on s.person_id = h.person_id and s.point = h.first_point and s.valid_from = h.valid_from
where s.resident_status <> 'gone'
order by person_id, valid_from, known_from
