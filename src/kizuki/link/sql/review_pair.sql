-- review_pair: one row = one pair a person must look at: best candidates first, records already joined left out.
WITH open_pair AS (
  SELECT c.source, c.record_id, c.resident_id, c.weight, c.rule AS reason, c.evidence,
    ROW_NUMBER() OVER (PARTITION BY c.source, c.record_id, c.resident_id ORDER BY c.weight DESC NULLS LAST, c.rule) AS writing
  FROM candidate AS c
  LEFT JOIN matched AS m ON m.source = c.source AND m.record_id = c.record_id
  WHERE c.decision = 'review' AND m.source IS NULL
), placed AS (
  SELECT p.*, ROW_NUMBER() OVER (PARTITION BY source, record_id ORDER BY weight DESC NULLS LAST, resident_id) AS place
  FROM open_pair AS p WHERE writing = 1
)
SELECT source, record_id, resident_id, weight, reason, evidence FROM placed WHERE place <= $review_candidates
