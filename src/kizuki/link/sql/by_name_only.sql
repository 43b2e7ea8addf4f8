-- candidate: one row = one record that names a person without a birth date × resident of that name, now or before, whose birth fits the school year or age band; where nobody of that age has the reading, one a single kana away. Never
-- automatic: in a city of 180,000, 8 of 100 kanji names have two bearers. More bearers than a reviewer can weigh are not shown.
WITH bare AS (
  SELECT source, record_id, loose_key, kana_key, name_code, sex, birth_from, birth_to
  FROM open_lead
  WHERE birth_date IS NULL
), resident_name AS (
  SELECT record_id, loose_key, kana_key, sex, birth_date FROM resident
  UNION
  SELECT r.record_id, COALESCE(w.loose_key, f.name_key) AS loose_key, f.kana_key, r.sex, r.birth_date
  FROM former_name AS f
  JOIN resident AS r ON r.record_id = f.resident_id
  LEFT JOIN loose_name AS w ON w.name_key = f.name_key
), heard AS (
  SELECT b.source, b.record_id, r.record_id AS resident_id, 'kanji_only' AS rule
  FROM bare AS b JOIN resident_name AS r ON r.loose_key = b.loose_key
  WHERE COALESCE(b.sex = r.sex, TRUE) AND COALESCE(r.birth_date BETWEEN b.birth_from AND b.birth_to, TRUE)
  UNION
  SELECT b.source, b.record_id, r.record_id AS resident_id, 'kana_only' AS rule
  FROM bare AS b JOIN resident_name AS r ON r.kana_key = b.kana_key
  WHERE COALESCE(b.sex = r.sex, TRUE) AND COALESCE(r.birth_date BETWEEN b.birth_from AND b.birth_to, TRUE)
), unheard AS (
  SELECT b.* FROM bare AS b
  LEFT JOIN (SELECT DISTINCT source, record_id FROM heard) AS h ON h.source = b.source AND h.record_id = b.record_id
  WHERE h.source IS NULL AND LENGTH(b.name_code) >= 4 AND b.birth_from IS NOT NULL
), near AS (
  SELECT u.source, u.record_id, r.record_id AS resident_id, 'kana_near' AS rule
  FROM unheard AS u JOIN resident AS r ON LEFT(r.name_code, 3) = LEFT(u.name_code, 3)
  WHERE r.birth_date BETWEEN u.birth_from AND u.birth_to AND COALESCE(u.sex = r.sex, TRUE) AND LEVENSHTEIN(r.name_code, u.name_code) <= 1
  UNION
  SELECT u.source, u.record_id, r.record_id AS resident_id, 'kana_near' AS rule
  FROM unheard AS u JOIN resident AS r ON RIGHT(r.name_code, 3) = RIGHT(u.name_code, 3)
  WHERE r.birth_date BETWEEN u.birth_from AND u.birth_to AND COALESCE(u.sex = r.sex, TRUE) AND LEVENSHTEIN(r.name_code, u.name_code) <= 1
), pair AS (
  SELECT * FROM heard
  UNION ALL
  SELECT * FROM near
), counted AS (
  SELECT source, record_id, COUNT(*) AS bearers FROM pair GROUP BY source, record_id
)
SELECT p.source, p.record_id, p.resident_id, p.rule, CAST(NULL AS DOUBLE) AS weight, 'review' AS decision, CAST(NULL AS VARCHAR) AS evidence
FROM pair AS p
JOIN counted AS n ON n.source = p.source AND n.record_id = p.record_id
LEFT JOIN forbidden AS x ON x.source = p.source AND x.record_id = p.record_id AND x.resident_id = p.resident_id
WHERE n.bearers <= $review_candidates AND x.source IS NULL
