-- One row per resident who lives in a household of `asked` now: when born, and whether 児童扶養手当 is paid to them.
WITH receiving AS (
  SELECT DISTINCT person_id
  FROM spell
  WHERE kind = 'single_parent_allowance_recipient' AND known_to IS NULL AND valid_from <= $as_of
    AND (valid_to IS NULL OR valid_to > $as_of)
)
SELECT
  a.household_id, p.person_id, p.birth_date, m.relation,
  CASE WHEN r.person_id IS NULL THEN 0 ELSE 1 END AS receiver
FROM asked AS a
JOIN household_member AS m ON m.household_id = a.household_id AND m.known_to IS NULL AND m.valid_to IS NULL
JOIN person AS p ON p.person_id = m.person_id AND p.known_to IS NULL AND p.valid_to IS NULL
LEFT JOIN receiving AS r ON r.person_id = p.person_id
WHERE p.resident_status = 'resident'
