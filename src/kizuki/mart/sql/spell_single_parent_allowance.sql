-- One 児童扶養手当 payment period, once for the child and once for the recipient. The end month is paid, so it is included.
with payment as (
  select
    t.child_no, t.recipient_no, t.payment_class, t.cause, t.started_on,
    cast(t.ended_on + interval 1 month as date) as valid_to,
    t.told_from, t.told_to, t.gone_on, t.delivery_id
  from told as t
)
select
  l.person_id, 'single_parent_allowance' as kind, p.payment_class as status, cast(null as varchar) as facility,
  p.cause as detail, cast(null as double) as amount, p.started_on as valid_from, p.valid_to,
  p.told_from as known_from, p.told_to as known_to, p.gone_on, p.delivery_id, p.child_no as record_id
from payment as p
join link as l on l.record_id = p.child_no
union all
select
  l.person_id, 'single_parent_allowance_recipient' as kind, p.payment_class as status, cast(null as varchar) as facility,
  p.cause as detail, cast(null as double) as amount, p.started_on as valid_from, p.valid_to,
  p.told_from as known_from, p.told_to as known_to, p.gone_on, p.delivery_id, p.recipient_no as record_id
from payment as p
join link as l on l.record_id = p.recipient_no
