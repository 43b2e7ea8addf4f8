-- One row per unknown entry of a judgement of the child that waits for an answer: there the unknown decides.
SELECT r.person_id, r.criteria, r.entry, j.version
FROM judgement_reason AS r
JOIN judgement AS j ON j.person_id = r.person_id AND j.criteria = r.criteria
WHERE r.person_id = $person_id AND r.answer = 'unknown' AND j.verdict = '要確認'
