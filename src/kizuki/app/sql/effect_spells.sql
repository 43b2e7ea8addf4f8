-- One row per household of `asked` × member × kind × status of the kinds of `asked_kind`: the first day a delivery showed it.
SELECT a.household_id, s.person_id, s.kind, s.status, MIN(s.known_from) AS first_known
FROM asked AS a
JOIN household_member AS m ON m.household_id = a.household_id AND m.known_to IS NULL AND m.valid_to IS NULL
JOIN spell AS s ON s.person_id = m.person_id
JOIN asked_kind AS k ON k.kind = s.kind
GROUP BY a.household_id, s.person_id, s.kind, s.status
