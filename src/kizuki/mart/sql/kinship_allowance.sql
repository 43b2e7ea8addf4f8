-- One child × the person who receives an allowance for the child, over all payment periods told so far (the last month is paid).
with payment as (
  select
    c.person_id, r.person_id as related_id, t.started_on, t.told_from, t.delivery_id, t.recipient_no,
    coalesce(cast(t.ended_on + interval 1 month as date), t.gone_on, cast('9999-12-31' as date)) as until
  from told as t
  join link as c on c.record_id = t.child_no
  join link as r on r.record_id = t.recipient_no
  where t.told_to is null and t.started_on is not null
)
select
  person_id, related_id, 'guardian' as kind, min(started_on) as valid_from,
  case when max(until) < cast('9999-12-31' as date) then max(until) end as valid_to,
  min(told_from) as known_from, $source as source,
  arg_min(delivery_id, concat_ws('|', cast(told_from as varchar), delivery_id)) as delivery_id, min(recipient_no) as record_id
from payment
group by person_id, related_id
