-- returning_person: one row = one group of tonight and the person who comes back in it: a dissolved one with all it had, or, where
-- nobody claims the group, the one most of whose records are there.
WITH chosen AS (
  SELECT w.*, ROW_NUMBER() OVER (
    PARTITION BY w.anchor_source, w.anchor_id ORDER BY w.resident DESC, w.records DESC, w.first_seq, w.person_id) AS place
  FROM held_claim AS w
  LEFT JOIN claimed AS k ON k.anchor_source = w.anchor_source AND k.anchor_id = w.anchor_id
  WHERE k.person_id IS NULL
)
SELECT anchor_source, anchor_id, person_id FROM claimed WHERE returned = 1
UNION ALL
SELECT anchor_source, anchor_id, person_id FROM chosen WHERE place = 1
