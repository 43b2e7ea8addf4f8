-- open_lead: one row = one open record that speaks for itself, or for all records of its child on one list (then with the dates of
-- birth all of them allow).
SELECT o.source, o.record_id, o.person_no, o.name_key, o.loose_key, o.family_key, o.given_key, o.kana_key, o.family_kana_key,
  o.given_kana_key, o.alias_key, o.birth_date, o.postcode, o.town_key, o.block_key, o.phone, o.sex, o.family_code, o.given_code, o.name_code, o.kana_written, o.given_written,
  COALESCE(l.birth_from, o.birth_from) AS birth_from, COALESCE(l.birth_to, o.birth_to) AS birth_to
FROM open_record AS o
LEFT JOIN listing AS l ON l.source = o.source AND l.record_id = o.record_id
WHERE l.source IS NULL OR l.lead_id = o.record_id
