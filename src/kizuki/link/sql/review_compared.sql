-- review_compared: one row per pair asked about, the resident's columns as *_l and the record's as *_r.
select p.source, p.record_id, p.resident_id,
  l.name_key as name_key_l, r.name_key as name_key_r, l.kana_key as kana_key_l, r.kana_key as kana_key_r,
  l.family_key as family_key_l, r.family_key as family_key_r, l.given_key as given_key_l, r.given_key as given_key_r,
  l.family_kana_key as family_kana_key_l, r.family_kana_key as family_kana_key_r,
  l.given_kana_key as given_kana_key_l, r.given_kana_key as given_kana_key_r,
  l.family_code as family_code_l, r.family_code as family_code_r, l.given_code as given_code_l, r.given_code as given_code_r,
  l.kana_written as kana_written_l, r.kana_written as kana_written_r,
  l.given_written as given_written_l, r.given_written as given_written_r,
  l.birth_date as birth_date_l, r.birth_date as birth_date_r, l.birth_from as birth_from_l, r.birth_from as birth_from_r,
  l.birth_to as birth_to_l, r.birth_to as birth_to_r, l.sex as sex_l, r.sex as sex_r,
  l.town_key as town_key_l, r.town_key as town_key_r, l.block_key as block_key_l, r.block_key as block_key_r,
  l.phone as phone_l, r.phone as phone_r
from asked_pair as p
join record as r on r.source = p.source and r.record_id = p.record_id
join record as l on l.source = $register and l.record_id = p.resident_id
