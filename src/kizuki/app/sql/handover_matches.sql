-- One row per resident born on a day, as known now.
SELECT p.person_id, p.name, p.kana, p.birth_date, p.resident_from
FROM person AS p
WHERE p.birth_date = $birth_date AND p.known_to IS NULL AND p.valid_to IS NULL AND p.resident_status = 'resident'
