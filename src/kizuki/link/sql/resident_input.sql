-- one row = one resident as the weighted comparison sees them.
SELECT r.record_id AS unique_id, r.name_key, r.family_key, r.given_key, r.kana_key, r.family_kana_key,
  r.given_kana_key, r.family_code, r.given_code, r.kana_written, r.given_written, r.birth_date, r.birth_from, r.birth_to, r.sex, r.postcode, r.town_key, r.block_key, r.phone
FROM resident AS r
