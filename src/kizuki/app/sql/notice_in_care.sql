-- One person registered with 要対協 now: the office that works with the family decides what it is told, not a machine.
SELECT DISTINCT person_id
FROM spell
WHERE kind = 'council_registration' AND known_to IS NULL AND valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
