-- One row per programme × household × child of `asked` that the data now say cannot use it, with the conditions that still hold.
SELECT e.programme, e.household_id, COALESCE(e.person_id, '') AS child_id, e.reasons
FROM asked AS a
JOIN eligibility AS e ON e.household_id = a.household_id
WHERE e.verdict = '非該当'
