-- one row: records known before and after, how many of them changed their person, persons before, persons nobody has any more.
WITH both_times AS (
  SELECT b.person_id AS before_id, a.person_id AS after_id
  FROM before AS b JOIN after AS a ON a.source = b.source AND a.record_id = b.record_id
), gone AS (
  SELECT DISTINCT b.person_id FROM before AS b
  LEFT JOIN after AS a ON a.person_id = b.person_id
  WHERE a.person_id IS NULL
)
SELECT (SELECT COUNT(*) FROM both_times) AS records,
  (SELECT COUNT(*) FROM both_times WHERE before_id <> after_id) AS moved,
  (SELECT COUNT(DISTINCT person_id) FROM before) AS persons,
  (SELECT COUNT(*) FROM gone) AS persons_gone
