-- One handbook, one welfare service, or one day-service use of one person. A handbook or service without a date counts from when it was told.
with card as (
  select
    l.person_id, t.handbook, t.level, t.service, t.child_day_service, coalesce(t.issued_on, t.known_from) as valid_from,
    t.known_from as first_told, t.returned_on, t.told_from, t.told_to, t.gone_on, t.delivery_id, t.record_id
  from told as t
  join link as l on l.record_id = t.person_no
)
select
  person_id, 'disability' as kind, handbook as status, cast(null as varchar) as facility, level as detail,
  cast(null as double) as amount, valid_from, returned_on as valid_to, told_from as known_from, told_to as known_to, gone_on,
  delivery_id, record_id
from card
where handbook <> 'なし'
union all
select
  person_id, 'disability_service' as kind, cast(null as varchar) as status, cast(null as varchar) as facility,
  service as detail, cast(null as double) as amount, first_told as valid_from, cast(null as date) as valid_to,
  told_from as known_from, told_to as known_to, gone_on, delivery_id, record_id
from card
where service is not null
union all
select
  person_id, 'child_day_service' as kind, cast(null as varchar) as status, cast(null as varchar) as facility,
  cast(null as varchar) as detail, cast(null as double) as amount, first_told as valid_from, cast(null as date) as valid_to,
  told_from as known_from, told_to as known_to, gone_on, delivery_id, record_id
from card
where child_day_service = '1'
