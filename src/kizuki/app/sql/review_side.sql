-- One row per side (record, resident) of one pair: who, as its own office writes them.
SELECT person_id, side, source, record_id, person_no, name, kana, birth_date, sex, postcode, town, block, phone, school_code, grade, known_from
FROM review_side
WHERE pair_id = $pair AND person_id IN $people
ORDER BY side
