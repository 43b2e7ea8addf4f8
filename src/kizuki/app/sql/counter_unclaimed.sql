-- One row per programme × household × child that could be used and is not, as known now.
SELECT e.programme, e.household_id, COALESCE(e.person_id, '') AS child_id
FROM eligibility AS e
WHERE e.verdict = '該当' AND e.unclaimed
