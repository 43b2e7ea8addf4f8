-- One row per period of one pair of two residents, under the name of the other side, so that a seal on either side hides both.
SELECT other_person_id, address
FROM review_history
WHERE pair_id = $pair AND person_id IN $people
ORDER BY side, kind, valid_from, address
