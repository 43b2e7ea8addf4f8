-- review_side: One row per side of a pair, as its own office writes the person.
with side as (
  select pair_id, 'record' as side, other_person_id as person_id, person_id as other_person_id, source, record_id from review_case
  union all
  select pair_id, 'resident', person_id, other_person_id, $register, resident_id from review_case
)
select s.pair_id, s.side, s.person_id, s.other_person_id, s.source, s.record_id, r.person_no, r.name, r.kana, r.birth_date, r.sex,
  r.postcode, r.town_key as town, r.block_key as block, r.phone, r.school_code, r.grade, r.known_from
from side as s
join review_writing as r on r.source = s.source and r.record_id = s.record_id
