-- One registration of one child with the council (要対協). The newest writing of a case's registration holds.
with registration as (
  select
    l.person_id, t.case_no, t.council_class, t.registered_on, t.closed_on, t.told_from, t.delivery_id, t.record_id,
    lead(t.told_from) over (
      partition by t.case_no, t.registered_on order by t.told_from, t.received_on, t.line
    ) as next_told
  from told as t
  join link as l on l.record_id = t.case_no
  where t.registered_on is not null and t.council_class <> 'なし'
)
select
  person_id, 'council_registration' as kind, council_class as status, cast(null as varchar) as facility,
  cast(null as varchar) as detail, cast(null as double) as amount, registered_on as valid_from, closed_on as valid_to,
  told_from as known_from, next_told as known_to, cast(null as date) as gone_on, delivery_id, record_id
from registration
where next_told is null or next_told > told_from
