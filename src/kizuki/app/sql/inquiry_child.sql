-- One row: the child asked about, as known now.
SELECT p.person_id, p.name, p.kana, p.birth_date, p.resident_from, r.address
FROM person AS p
LEFT JOIN residence AS r ON r.person_id = p.person_id AND r.known_to IS NULL AND r.valid_to IS NULL
WHERE p.person_id = $person_id AND p.known_to IS NULL AND p.valid_to IS NULL
