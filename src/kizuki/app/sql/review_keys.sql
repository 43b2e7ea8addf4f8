-- One row: the keys of one pair at its two offices, to be written into the key master (never shown).
SELECT source, record_id, resident_id
FROM review_case
WHERE pair_id = $pair
LIMIT 1
