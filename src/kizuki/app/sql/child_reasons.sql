-- One row per judgement of the child × entry that holds or is unknown; a judgement without entries has one row.
SELECT
  j.person_id, j.criteria, j.version, j.verdict, j.rank,
  r.entry, r.answer, r.text, r.points AS weight, r.source, r.delivery_id, r.observed_on, r.unknown_reason
FROM judgement AS j
LEFT JOIN judgement_reason AS r ON r.person_id = j.person_id AND r.criteria = j.criteria
WHERE j.person_id = $person_id
