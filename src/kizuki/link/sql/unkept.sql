-- unkept: one row = one group of tonight that kept no person: its anchor, how many persons were made for that record before, the
-- person most of its records came from (blank when all are new), and the person it gets back or got later on (blank: a new one).
WITH grouped AS (
  SELECT DISTINCT a.anchor_source, a.anchor_id
  FROM assignment AS a
  LEFT JOIN kept AS k ON k.anchor_source = a.anchor_source AND k.anchor_id = a.anchor_id
  WHERE k.person_id IS NULL
), made AS (
  SELECT source, record_id, COUNT(*) AS times FROM minted GROUP BY source, record_id
), origin AS (
  SELECT a.anchor_source, a.anchor_id, c.person_id,
    ROW_NUMBER() OVER (PARTITION BY a.anchor_source, a.anchor_id ORDER BY COUNT(*) DESC, c.person_id) AS place
  FROM assignment AS a
  JOIN grouped AS g ON g.anchor_source = a.anchor_source AND g.anchor_id = a.anchor_id
  JOIN current_link AS c ON c.source = a.source AND c.record_id = a.record_id
  GROUP BY a.anchor_source, a.anchor_id, c.person_id
)
SELECT g.anchor_source, g.anchor_id, CAST(COALESCE(m.times, 0) AS BIGINT) AS times, o.person_id AS origin_id,
  COALESCE(r.person_id, f.person_id) AS known_id, CASE WHEN r.person_id IS NULL THEN 0 ELSE 1 END AS comes_back
FROM grouped AS g
LEFT JOIN made AS m ON m.source = g.anchor_source AND m.record_id = g.anchor_id
LEFT JOIN origin AS o ON o.anchor_source = g.anchor_source AND o.anchor_id = g.anchor_id AND o.place = 1
LEFT JOIN returning_person AS r ON r.anchor_source = g.anchor_source AND r.anchor_id = g.anchor_id
LEFT JOIN foreknown AS f ON f.anchor_source = g.anchor_source AND f.anchor_id = g.anchor_id
