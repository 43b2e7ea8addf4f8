-- One change of one resident: born, moved, married …, on the day it took effect.
with slice as (
  select
    person_id, point, told_on, next_told_on, valid_from, valid_from as valid_to, record_id, delivery_id,
    case change_reason
      when '転入' then 'moved_in'
      when '転出' then 'moved_out'
      when '転居' then 'moved_within'
      when '出生' then 'born'
      when '死亡' then 'died'
      when '婚姻' then 'married'
      when '離婚' then 'divorced'
      when '氏名変更' then 'name_changed'
    end as content
  from timeline
  where change_reason in ('転入', '転出', '転居', '出生', '死亡', '婚姻', '離婚', '氏名変更')
)
select
  h.person_id, h.content as kind, h.valid_from as happened_on, cast(1 as double) as value, 'known' as value_state,
  cast(null as varchar) as code, cast(null as varchar) as facility, h.known_from, h.known_to, s.delivery_id, s.record_id
from history as h
join slice as s on s.person_id = h.person_id and s.point = h.first_point and s.valid_from = h.valid_from
