-- One person × household they live in now; `here` is false for whoever died, moved out or is no resident.
SELECT
  m.household_id,
  m.person_id,
  BOOL_AND(COALESCE(p.resident_status, '') = 'resident') AS here
FROM household_member AS m
LEFT JOIN person AS p ON p.person_id = m.person_id AND p.known_to IS NULL AND p.valid_to IS NULL
WHERE m.known_to IS NULL
  AND m.valid_to IS NULL
  AND ($everybody OR m.household_id IN $homes)
GROUP BY m.household_id, m.person_id
