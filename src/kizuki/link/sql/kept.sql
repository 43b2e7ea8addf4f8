-- kept: one row = one group of tonight that keeps a living person of before.
SELECT anchor_source, anchor_id, person_id FROM claimed WHERE returned = 0
