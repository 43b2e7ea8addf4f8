-- One row per person who lives in one of the named households now.
SELECT DISTINCT person_id
FROM household_member
WHERE household_id IN $homes AND known_to IS NULL AND valid_to IS NULL
