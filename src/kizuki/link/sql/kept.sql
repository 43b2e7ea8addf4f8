-- kept: one row = one group of tonight that keeps a person of before. First the person whose resident anchors the group; then
-- the person with most records in it, each person kept once, the older one on a tie.
WITH prior AS (
  SELECT a.anchor_source, a.anchor_id, a.source, a.record_id, c.person_id
  FROM assignment AS a JOIN current_link AS c ON c.source = a.source AND c.record_id = a.record_id
), anchored AS (
  SELECT anchor_source, anchor_id, person_id FROM prior
  WHERE source = $register AND source = anchor_source AND record_id = anchor_id
), overlap AS (
  SELECT p.anchor_source, p.anchor_id, p.person_id, COUNT(*) AS records, MIN(m.first_seq) AS first_seq
  FROM prior AS p
  JOIN minted AS m ON m.person_id = p.person_id
  LEFT JOIN anchored AS g ON g.anchor_source = p.anchor_source AND g.anchor_id = p.anchor_id
  LEFT JOIN anchored AS t ON t.person_id = p.person_id
  WHERE g.person_id IS NULL AND t.person_id IS NULL
  GROUP BY p.anchor_source, p.anchor_id, p.person_id
), chosen AS (
  SELECT o.*, ROW_NUMBER() OVER (PARTITION BY anchor_source, anchor_id ORDER BY records DESC, first_seq, person_id) AS place
  FROM overlap AS o
), contested AS (
  SELECT c.*, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY records DESC, anchor_source, anchor_id) AS claim
  FROM chosen AS c WHERE place = 1
)
SELECT anchor_source, anchor_id, person_id FROM anchored
UNION ALL
SELECT anchor_source, anchor_id, person_id FROM contested WHERE claim = 1
