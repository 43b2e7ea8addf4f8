-- The child a sheet for the family is about, one row.
SELECT p.person_id, p.name, p.kana, p.birth_date
FROM person AS p
WHERE p.person_id = $person_id AND p.known_to IS NULL AND p.valid_to IS NULL
