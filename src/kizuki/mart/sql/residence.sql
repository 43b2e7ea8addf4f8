-- One person × address × period, as known from–to; only while resident. `town` is read from the address by cleansing.
with slice as (
  select
    t.*, concat_ws('|', coalesce(postcode, ''), coalesce(address, ''), coalesce(address_extra, '')) as content
  from timeline as t
  where resident_status = 'resident'
)
select
  h.person_id, h.valid_from, h.valid_to, h.known_from, h.known_to, s.postcode, s.address, s.address_extra, a.town,
  $source as source, s.delivery_id, s.record_id
from history as h
join slice as s on s.person_id = h.person_id and s.point = h.first_point and s.valid_from = h.valid_from
left join address as a on a.address = s.address
order by person_id, valid_from, known_from
