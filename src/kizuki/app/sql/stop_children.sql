-- The named children, one row each: who was listed by a stopped criteria set.
SELECT p.person_id, p.name
FROM person AS p
WHERE p.person_id IN $people AND p.known_to IS NULL AND p.valid_to IS NULL
