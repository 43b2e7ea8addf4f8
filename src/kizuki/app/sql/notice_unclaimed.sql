-- One row per programme × household × child of the households of `asked` that could use the programme and do not, as known now.
SELECT e.programme, e.household_id, COALESCE(e.person_id, '') AS child_id
FROM asked AS a
JOIN eligibility AS e ON e.household_id = a.household_id
WHERE e.verdict = '該当' AND e.unclaimed
