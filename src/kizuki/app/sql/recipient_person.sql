-- The one person a recipient's number stands for: who they are and where they live, to be compared with who stands at the counter.
SELECT p.person_id, p.name, p.kana, p.birth_date, r.address, r.address_extra
FROM person AS p
LEFT JOIN residence AS r ON r.person_id = p.person_id AND r.known_to IS NULL AND r.valid_to IS NULL
WHERE p.person_id = $person_id AND p.known_to IS NULL AND p.valid_to IS NULL
