-- One stretch of one child's childcare with the same facility, certification, fee class and arrears; amount = months in arrears.
-- Open until a delivered month no longer carries the child.
with slice as (
  select
    p.person_id, p.point, p.told_on, p.next_told_on, p.valid_from, p.valid_to, s.content, s.facility, s.certification, s.fee_class,
    s.arrears_months, s.delivery_id, s.record_id
  from points as p
  join state as s
    on s.person_id = p.person_id and s.valid_from = p.valid_from and s.known_from = p.known_from and s.sequence = p.sequence
  where s.present
)
select
  h.person_id, 'childcare' as kind, s.certification as status, s.facility, s.fee_class as detail,
  cast(s.arrears_months as double) as amount, h.valid_from, h.valid_to, h.known_from, h.known_to,
  cast(null as date) as gone_on, s.delivery_id, s.record_id
from history as h
join slice as s on s.person_id = h.person_id and s.point = h.first_point and s.valid_from = h.valid_from
