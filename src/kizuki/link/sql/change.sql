-- one row = one event that turns the key master of before into tonight's: persons made, split off or come back, records leaving,
-- records joining, persons dissolved into another (or whose former records have gone on to yet another).
WITH made AS (
  SELECT CASE WHEN n.origin_id IS NULL THEN 'create' ELSE 'split' END AS kind, n.person_id, n.origin_id AS other_person_id,
    n.anchor_source AS source, n.anchor_id AS record_id, CASE WHEN n.comes_back = 1 THEN 'former_id' END AS rule
  FROM newcomer AS n
), alive AS (
  SELECT person_id FROM kept
  UNION ALL
  SELECT person_id FROM newcomer
), leaving AS (
  SELECT 'unlink' AS kind, c.person_id, t.person_id AS other_person_id, c.source, c.record_id,
    CASE WHEN alive.person_id IS NULL THEN 'dissolved' WHEN t.person_id IS NULL THEN 'record_gone' ELSE 'regrouped' END AS rule
  FROM current_link AS c
  LEFT JOIN target AS t ON t.source = c.source AND t.record_id = c.record_id
  LEFT JOIN alive ON alive.person_id = c.person_id
  WHERE t.person_id IS NULL OR t.person_id <> c.person_id
), joining AS (
  SELECT 'link' AS kind, t.person_id, t.source, t.record_id, t.rule, t.weight, t.state, t.evidence
  FROM target AS t LEFT JOIN current_link AS c ON c.source = t.source AND c.record_id = t.record_id
  WHERE c.person_id IS NULL OR c.person_id <> t.person_id OR c.rule <> t.rule OR c.state <> t.state
), holder AS (
  SELECT h.person_id, COALESCE(k.person_id, n.person_id) AS other_person_id
  FROM held_claim AS h
  LEFT JOIN kept AS k ON k.anchor_source = h.anchor_source AND k.anchor_id = h.anchor_id
  LEFT JOIN newcomer AS n ON n.anchor_source = h.anchor_source AND n.anchor_id = h.anchor_id
), told AS (
  SELECT e.person_id, e.other_person_id, e.kind, ROW_NUMBER() OVER (PARTITION BY e.person_id ORDER BY e.seq DESC) AS back
  FROM event AS e JOIN held_claim AS h ON h.person_id = e.person_id
  WHERE e.kind IN ('merge', 'create', 'split')
), followed AS (
  SELECT h.person_id, h.other_person_id
  FROM holder AS h LEFT JOIN told AS m ON m.person_id = h.person_id AND m.back = 1 AND m.kind = 'merge'
  WHERE h.person_id <> h.other_person_id AND COALESCE(m.other_person_id <> h.other_person_id, TRUE)
)
SELECT 1 AS step, kind, person_id, other_person_id, source, record_id, rule, CAST(NULL AS DOUBLE) AS weight,
  CAST(NULL AS VARCHAR) AS state, CAST(NULL AS VARCHAR) AS evidence
FROM made
UNION ALL
SELECT 2 AS step, kind, person_id, other_person_id, source, record_id, rule, CAST(NULL AS DOUBLE) AS weight,
  CAST(NULL AS VARCHAR) AS state, CAST(NULL AS VARCHAR) AS evidence
FROM leaving
UNION ALL
SELECT 3 AS step, kind, person_id, CAST(NULL AS VARCHAR) AS other_person_id, source, record_id, rule, weight, state, evidence
FROM joining
UNION ALL
SELECT 4 AS step, 'merge' AS kind, person_id, other_person_id, CAST(NULL AS VARCHAR) AS source, CAST(NULL AS VARCHAR) AS record_id,
  CAST(NULL AS VARCHAR) AS rule, CAST(NULL AS DOUBLE) AS weight, CAST(NULL AS VARCHAR) AS state, CAST(NULL AS VARCHAR) AS evidence
FROM followed
