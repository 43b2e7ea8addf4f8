-- One row per listed child × criteria set × entry that holds; a listing without such an entry has one row.
SELECT j.person_id, j.criteria, j.version, r.entry
FROM judgement AS j
LEFT JOIN judgement_reason AS r ON r.person_id = j.person_id AND r.criteria = j.criteria AND r.answer = 'true'
WHERE j.rank IS NOT NULL
