-- One row per reason or unknown of the listed children; the candidate sets among them are known to the list's order.
SELECT r.person_id, r.criteria, r.entry, r.answer, r.text, r.points AS weight, r.source, r.observed_on, r.unknown_reason
FROM judgement_reason AS r
WHERE r.person_id IN $people
