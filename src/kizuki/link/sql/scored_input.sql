-- one row = one open record (or child of a list) with evidence beyond a bare name: what the weighted comparison can speak about.
SELECT CONCAT(o.source, ':', o.record_id) AS unique_id, o.name_key, o.family_key, o.given_key, o.kana_key, o.family_kana_key,
  o.given_kana_key, o.family_code, o.given_code, o.kana_written, o.given_written, o.birth_date, o.birth_from, o.birth_to, o.sex, o.postcode, o.town_key, o.block_key, o.phone
FROM open_lead AS o
WHERE (o.name_key IS NOT NULL AND o.kana_key IS NOT NULL) OR o.birth_date IS NOT NULL OR o.block_key IS NOT NULL OR o.phone IS NOT NULL
  OR o.birth_from IS NOT NULL
