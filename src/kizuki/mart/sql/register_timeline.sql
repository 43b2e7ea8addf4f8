-- One register state of one person in force from–to at one point of knowledge, with all the register says.
select
  p.person_id, p.point, p.told_on, p.next_told_on, p.valid_from, p.valid_to,
  s.record_id, s.delivery_id, s.person_no, s.household_no, s.name, s.kana, s.former_family_name, s.alias_name, s.birth_date,
  s.sex, s.relation, s.resident_from, s.address, s.address_extra, s.postcode, s.resident_type, s.resident_status,
  s.change_reason, s.sealed
from points as p
join state as s
  on s.person_id = p.person_id and s.valid_from = p.valid_from and s.known_from = p.known_from and s.sequence = p.sequence
