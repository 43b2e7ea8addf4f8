-- one row = one record outside the register that carries both a resident's number and a name.
SELECT CONCAT(o.source, ':', o.record_id) AS unique_id, o.name_key, o.family_key, o.given_key, o.kana_key, o.family_kana_key,
  o.given_kana_key, o.family_code, o.given_code, o.kana_written, o.given_written, o.birth_date, o.birth_from, o.birth_to, o.sex, o.postcode, o.town_key, o.block_key,
  o.phone, o.person_no AS label, CAST(0 AS BIGINT) AS bucket
FROM record AS o
JOIN resident AS r ON r.person_no = o.person_no
WHERE o.source <> r.source AND (o.name_key IS NOT NULL OR o.kana_key IS NOT NULL)
ORDER BY o.source, o.record_id
