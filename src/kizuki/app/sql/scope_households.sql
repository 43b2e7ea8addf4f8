-- One row per named person × person who lives in the same household now.
SELECT a.person_id AS asked, b.person_id
FROM household_member AS a
JOIN household_member AS b ON b.household_id = a.household_id
WHERE a.person_id IN $people AND a.known_to IS NULL AND a.valid_to IS NULL AND b.known_to IS NULL AND b.valid_to IS NULL
