-- ranked: one row = one scored pair with its lead over the best other candidate of the same record (99 when there is none).
WITH pair AS (
  SELECT o.source, o.record_id, s.resident_id, s.weight, s.family, s.given, s.birth, s.sex, s.address, s.phone
  FROM scored AS s
  JOIN open_lead AS o ON CONCAT(o.source, ':', o.record_id) = s.record_uid
  LEFT JOIN forbidden AS x ON x.source = o.source AND x.record_id = o.record_id AND x.resident_id = s.resident_id
  WHERE x.source IS NULL
), placed AS (
  SELECT p.*,
    ROW_NUMBER() OVER (PARTITION BY source, record_id ORDER BY weight DESC, resident_id) AS place,
    MAX(weight) OVER (PARTITION BY source, record_id) AS best
  FROM pair AS p
), second AS (
  SELECT source, record_id, MAX(weight) AS weight FROM placed WHERE place > 1 GROUP BY source, record_id
)
SELECT p.source, p.record_id, p.resident_id, p.weight, p.place, p.family, p.given, p.birth, p.sex, p.address, p.phone,
  CASE WHEN p.place > 1 THEN p.weight - p.best ELSE COALESCE(p.weight - n.weight, 99.0) END AS margin
FROM placed AS p
LEFT JOIN second AS n ON n.source = p.source AND n.record_id = p.record_id
