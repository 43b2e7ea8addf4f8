-- One pupil × the 保護者 of the 学齢簿, over the school years that name them. 父・母 is a parent; anybody else has care of the child.
with named as (
  select
    c.person_id, g.person_id as related_id,
    case when t.guardian_relation in ('父', '母') then 'parent' else 'guardian' end as kind,
    make_date(cast(t.fiscal_year as int), 4, 1) as valid_from, make_date(cast(t.fiscal_year as int) + 1, 4, 1) as until,
    t.told_from, t.delivery_id, t.guardian_no
  from told as t
  join link as c on c.record_id = t.person_no
  join guardian as g on g.record_id = t.guardian_no
  where t.gone_on is null
)
select
  person_id, related_id, kind, min(valid_from) as valid_from, max(until) as valid_to, min(told_from) as known_from,
  $source as source,
  arg_min(delivery_id, concat_ws('|', cast(told_from as varchar), delivery_id)) as delivery_id, min(guardian_no) as record_id
from named
group by person_id, related_id, kind
