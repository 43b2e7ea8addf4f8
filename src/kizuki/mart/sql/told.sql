-- One version of one record as its source told it. A record that a later full extract no longer carries is told once more,
-- from that day on and with gone_on set: what it said was true until then and is kept, not forgotten.
with told_followed as (
  select c.*, lead(c.known_from) over (partition by c.record_key order by c.known_from) as next_from
  from conformed as c
)
select f.*, f.known_from as told_from, f.known_to as told_to, cast(null as date) as gone_on
from told_followed as f
union all
select f.*, f.known_to as told_from, f.next_from as told_to, f.known_to as gone_on
from told_followed as f
where f.known_to is not null and (f.next_from is null or f.next_from > f.known_to)
