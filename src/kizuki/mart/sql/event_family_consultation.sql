-- One consultation about one child; value = severity rank (最重度 4 … なし 0), facility = the route it came by.
select
  l.person_id, 'consultation' as kind, t.received_on as happened_on,
  cast(
    case t.severity when '最重度' then 4 when '重度' then 3 when '中度' then 2 when '軽度' then 1 when 'なし' then 0 end as double
  ) as value,
  t.severity_state as value_state, t.category as code, t.route as facility,
  t.told_from as known_from, t.told_to as known_to, t.delivery_id, t.record_id
from told as t
join link as l on l.record_id = t.case_no
