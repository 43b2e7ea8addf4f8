-- One row per period of the register on either side of one pair of two residents.
SELECT person_id, side, kind, valid_from, valid_to, name, kana, status, address, relation, members, met_again
FROM review_history
WHERE pair_id = $pair AND person_id IN $people
ORDER BY side, kind, valid_from, name, kana, address, relation
