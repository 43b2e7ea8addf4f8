-- One row per side of one pair: where, under the name of the other side, so that a seal on either side hides both.
SELECT other_person_id, side, record_id, postcode, town, block, phone, school_code
FROM review_side
WHERE pair_id = $pair AND person_id IN $people
ORDER BY side
