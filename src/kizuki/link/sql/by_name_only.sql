-- candidate: one row = one record with nothing but a kanji or a kana name × resident of that name whose birth fits the school year
-- or age band. Never automatic: in a city of 180,000, 8 of 100 kanji names have two bearers.
WITH pair AS (
  SELECT o.source, o.record_id, r.record_id AS resident_id, 'kanji_only' AS rule
  FROM open_record AS o JOIN resident AS r ON r.loose_key = o.loose_key
  WHERE o.kana_key IS NULL AND o.birth_date IS NULL AND o.block_key IS NULL AND o.phone IS NULL
    AND COALESCE(o.sex = r.sex, TRUE) AND COALESCE(r.birth_date BETWEEN o.birth_from AND o.birth_to, TRUE)
  UNION ALL
  SELECT o.source, o.record_id, r.record_id AS resident_id, 'kana_only' AS rule
  FROM open_record AS o JOIN resident AS r ON r.kana_key = o.kana_key
  WHERE o.name_key IS NULL AND o.birth_date IS NULL AND o.block_key IS NULL AND o.phone IS NULL
    AND COALESCE(o.sex = r.sex, TRUE) AND COALESCE(r.birth_date BETWEEN o.birth_from AND o.birth_to, TRUE)
), counted AS (
  SELECT source, record_id, COUNT(*) AS bearers FROM pair GROUP BY source, record_id
)
SELECT p.source, p.record_id, p.resident_id, p.rule, CAST(NULL AS DOUBLE) AS weight, 'review' AS decision, CAST(NULL AS VARCHAR) AS evidence
FROM pair AS p
JOIN counted AS n ON n.source = p.source AND n.record_id = p.record_id
LEFT JOIN cannot_link AS x ON x.source = p.source AND x.record_id = p.record_id AND x.resident_id = p.resident_id
WHERE n.bearers <= $review_candidates AND x.source IS NULL
