-- The named children, one row each: what a change of their case needs to be allowed and recorded.
SELECT p.person_id
FROM person AS p
WHERE p.person_id IN $people AND p.known_to IS NULL AND p.valid_to IS NULL
