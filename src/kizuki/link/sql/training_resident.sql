-- one row = one resident for training; label is the 宛名番号 the pairs are made by, bucket is filled in later.
SELECT r.record_id AS unique_id, r.name_key, r.family_key, r.given_key, r.kana_key, r.family_kana_key, r.given_kana_key,
  r.family_code, r.given_code, r.kana_written, r.given_written, r.birth_date, r.birth_from, r.birth_to, r.sex, r.postcode, r.town_key, r.block_key, r.phone,
  r.person_no AS label, CAST(0 AS BIGINT) AS bucket
FROM resident AS r
ORDER BY r.record_id
