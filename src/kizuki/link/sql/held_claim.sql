-- held_claim: one row = one person who keeps no group tonight and the group of tonight that holds what it had: its resident, or else most of
-- its records, the record it was made for deciding between equals.
WITH claim AS (
  SELECT a.anchor_source, a.anchor_id, h.person_id, COUNT(*) AS records, MIN(m.first_seq) AS first_seq,
    MAX(CASE WHEN h.source = $register THEN 1 ELSE 0 END) AS resident,
    MAX(CASE WHEN m.source = h.source AND m.record_id = h.record_id THEN 1 ELSE 0 END) AS founder
  FROM held AS h
  JOIN assignment AS a ON a.source = h.source AND a.record_id = h.record_id
  JOIN minted AS m ON m.person_id = h.person_id
  GROUP BY a.anchor_source, a.anchor_id, h.person_id
), wish AS (
  SELECT c.*, ROW_NUMBER() OVER (
    PARTITION BY person_id ORDER BY resident DESC, records DESC, founder DESC, anchor_source, anchor_id) AS choice
  FROM claim AS c
)
SELECT anchor_source, anchor_id, person_id, records, first_seq, resident FROM wish WHERE choice = 1
