-- foreknown: one row = one group of a day asked about later on, whose anchor was first given a person on a night after that day.
WITH said AS (
  SELECT l.source, l.record_id, l.person_id, ROW_NUMBER() OVER (PARTITION BY l.source, l.record_id ORDER BY l.seq) AS place
  FROM later AS l WHERE l.kind = 'link'
), claim AS (
  SELECT g.anchor_source, g.anchor_id, s.person_id, ROW_NUMBER() OVER (
    PARTITION BY s.person_id ORDER BY CASE WHEN g.anchor_source = $register THEN 0 ELSE 1 END, g.anchor_source, g.anchor_id) AS choice
  FROM (SELECT DISTINCT anchor_source, anchor_id FROM assignment) AS g
  JOIN said AS s ON s.source = g.anchor_source AND s.record_id = g.anchor_id AND s.place = 1
  LEFT JOIN minted AS m ON m.person_id = s.person_id
  WHERE m.person_id IS NULL
)
SELECT anchor_source, anchor_id, person_id FROM claim WHERE choice = 1
