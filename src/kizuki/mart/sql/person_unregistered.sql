-- One person whom no resident record names, as the newest writing of the sources that do. Known to exist, not known to live here.
with ranked as (
  select
    l.person_id, r.*,
    row_number() over (partition by l.person_id order by r.known_from desc, r.source, r.record_id) as recency,
    min(r.known_from) over (partition by l.person_id) as first_known
  from link as l
  join person_record as r on r.source = l.source and r.record_id = l.record_id
  left join registered as g on g.person_id = l.person_id
  where g.person_id is null
)
select
  r.person_id, r.first_known as valid_from, cast(null as date) as valid_to, r.first_known as known_from,
  cast(null as date) as known_to, r.person_no, r.name, r.kana, cast(null as varchar) as former_family_name,
  cast(null as varchar) as alias_name, r.birth_date, r.sex, cast(null as varchar) as resident_type,
  'non_resident' as resident_status, cast(null as date) as resident_from, cast(null as date) as resident_until,
  false as sealed, r.source, d.delivery_id, r.record_id
from ranked as r
join delivery as d on d.source = r.source and d.as_of = r.known_from
where r.recency = 1
order by person_id
