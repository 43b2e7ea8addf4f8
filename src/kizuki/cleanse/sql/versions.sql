-- One version of one record: the row that first told it, and from when until when it was what the city knew.
--
-- A version starts when the record is new, when its content differs from the date before, or when a full extract in between did not
-- carry it. It ends on the date of the next version, or of the first full extract that no longer carries the record.
-- Only dates up to a version's own end decide it, so what was known on day D never changes when later files arrive (G3).
with seen as (
  select
    n.place, n.key, n.as_of, n.content, d.next_full,
    lag(n.content) over (partition by n.key order by n.as_of) as content_before,
    lag(d.next_full) over (partition by n.key order by n.as_of) as full_since,
    lead(n.content) over (partition by n.key order by n.as_of) as content_after,
    lead(n.as_of) over (partition by n.key order by n.as_of) as seen_next
  from newest as n
  join known_day as d on d.as_of = n.as_of
  where n.nth = 1
),
bounded as (
  select
    place, key, as_of,
    case
      when content_before is null or content_before <> content or full_since < as_of then 1
      else 0
    end as starts,
    case
      when seen_next is null then next_full
      when next_full < seen_next then next_full
      when content_after <> content then seen_next
    end as ended_on
  from seen
),
numbered as (
  select place, key, as_of, starts, ended_on, sum(starts) over (partition by key order by as_of) as version
  from bounded
)
select
  max(case when starts = 1 then place end) as place,
  min(as_of) as known_from,
  max(ended_on) as known_to
from numbered
group by key, version
order by place
