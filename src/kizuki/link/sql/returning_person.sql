-- returning_person: one row = one group of tonight that no person kept, and the person without records who comes back in it.
WITH chosen AS (
  SELECT w.*, ROW_NUMBER() OVER (
    PARTITION BY w.anchor_source, w.anchor_id ORDER BY w.resident DESC, w.records DESC, w.first_seq, w.person_id) AS place
  FROM held_claim AS w
  LEFT JOIN kept AS k ON k.anchor_source = w.anchor_source AND k.anchor_id = w.anchor_id
  WHERE k.person_id IS NULL
)
SELECT anchor_source, anchor_id, person_id FROM chosen WHERE place = 1
