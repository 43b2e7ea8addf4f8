-- One row per pair of the snapshot, for the order and the counts (no name, no key of a source).
SELECT pair_id, person_id, other_person_id, source, state, group_id, rule, strength, evidence, harms, place, lot, eligible
FROM review_case
ORDER BY place, lot, pair_id
