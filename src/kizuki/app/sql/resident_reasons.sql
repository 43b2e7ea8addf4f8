-- One row per judgement of the child × entry that holds; a judgement without such an entry has one row.
SELECT j.person_id, j.criteria, r.entry, r.text, r.source, r.observed_on
FROM judgement AS j
LEFT JOIN judgement_reason AS r ON r.person_id = j.person_id AND r.criteria = j.criteria AND r.answer = 'true'
WHERE j.person_id = $person_id
