-- One row per reason or unknown of the listed children, in their candidate criteria sets.
SELECT
  j.person_id, j.criteria, j.verdict, j.rank, r.entry, r.answer, r.text, r.points AS weight, r.source, r.observed_on, r.unknown_reason
FROM judgement AS j
LEFT JOIN judgement_reason AS r ON r.person_id = j.person_id AND r.criteria = j.criteria
WHERE j.person_id IN $people AND j.rank IS NOT NULL
