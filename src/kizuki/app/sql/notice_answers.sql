-- One answer that is not 非該当 of one programme: child_id blank = the programme is the household's.
SELECT programme, household_id, COALESCE(person_id, '') AS child_id, verdict, receiving, unclaimed
FROM eligibility
WHERE verdict <> '非該当'
  AND programme IN $programmes
  AND ($everybody OR household_id IN $homes)
