-- One row per household the named person lives in now.
SELECT DISTINCT household_id
FROM household_member
WHERE person_id IN $people AND known_to IS NULL AND valid_to IS NULL
