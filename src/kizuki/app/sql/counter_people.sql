-- One row per person of a household to be told at the counter: by whom to know them.
SELECT p.person_id, p.name, p.kana, p.birth_date
FROM person AS p
WHERE p.person_id IN $people AND p.known_to IS NULL AND p.valid_to IS NULL
