-- one row = all records, one source, or one kind of difficulty: how many records, how many have a resident, were joined, were joined
-- right, were joined by the machine (and right), wait, and would be joined right once reviewers have answered.
WITH grouped AS (
  SELECT 'all' AS kind, 'all' AS name, o.* FROM outcome AS o
  UNION ALL SELECT 'source' AS kind, o.source AS name, o.* FROM outcome AS o
  UNION ALL SELECT 'case' AS kind, 'no_number' AS name, o.* FROM outcome AS o WHERE o.no_number
  UNION ALL SELECT 'case' AS kind, 'kanji_only' AS name, o.* FROM outcome AS o WHERE o.kanji_only
  UNION ALL SELECT 'case' AS kind, 'kana_only' AS name, o.* FROM outcome AS o WHERE o.kana_only
  UNION ALL SELECT 'case' AS kind, 'no_birth_date' AS name, o.* FROM outcome AS o WHERE o.no_birth_date
  UNION ALL SELECT 'case' AS kind, 'no_resident' AS name, o.* FROM outcome AS o WHERE NOT o.has_resident
  UNION ALL SELECT 'case' AS kind, c.name, o.* FROM outcome AS o JOIN person_case AS c ON c.true_person = o.true_person
)
SELECT kind, name, COUNT(*) AS records,
  CAST(SUM(CASE WHEN has_resident THEN 1 ELSE 0 END) AS BIGINT) AS with_resident,
  CAST(SUM(CASE WHEN joined THEN 1 ELSE 0 END) AS BIGINT) AS joined,
  CAST(SUM(CASE WHEN correct THEN 1 ELSE 0 END) AS BIGINT) AS correct,
  CAST(SUM(CASE WHEN joined AND state = 'auto' THEN 1 ELSE 0 END) AS BIGINT) AS automatic,
  CAST(SUM(CASE WHEN correct AND state = 'auto' THEN 1 ELSE 0 END) AS BIGINT) AS automatic_right,
  CAST(SUM(CASE WHEN joined AND has_resident AND state = 'auto' THEN 1 ELSE 0 END) AS BIGINT) AS automatic_of_residents,
  CAST(SUM(CASE WHEN waits THEN 1 ELSE 0 END) AS BIGINT) AS waiting,
  CAST(SUM(CASE WHEN correct OR waits_rightly THEN 1 ELSE 0 END) AS BIGINT) AS reachable
FROM grouped GROUP BY kind, name
ORDER BY kind, name
