-- outsider: one row = one record that belongs to no resident, with the key of its group: the valid number, or the name with the
-- birth date. A group in which two different numbers occur is not joined, nor a record that awaits review.
WITH free AS (
  SELECT r.* FROM record AS r
  LEFT JOIN matched AS m ON m.source = r.source AND m.record_id = r.record_id
  WHERE r.source <> $register AND m.source IS NULL
), waiting AS (
  SELECT DISTINCT source, record_id FROM review_pair
), kana_name AS (
  SELECT kana_key, birth_date, MIN(name_key) AS name_key FROM free
  WHERE kana_key IS NOT NULL AND birth_date IS NOT NULL AND name_key IS NOT NULL
  GROUP BY kana_key, birth_date HAVING COUNT(DISTINCT name_key) = 1
), keyed AS (
  SELECT f.source, f.record_id, f.sex, CASE WHEN f.number_valid THEN f.person_no END AS number,
    CASE WHEN w.source IS NULL AND f.birth_date IS NOT NULL
         THEN CONCAT(COALESCE(f.name_key, k.name_key, f.kana_key), '|', CAST(f.birth_date AS VARCHAR)) END AS name_birth
  FROM free AS f
  LEFT JOIN kana_name AS k ON f.name_key IS NULL AND k.kana_key = f.kana_key AND k.birth_date = f.birth_date
  LEFT JOIN waiting AS w ON w.source = f.source AND w.record_id = f.record_id
), safe AS (
  SELECT name_birth, MIN(number) AS number FROM keyed WHERE name_birth IS NOT NULL
  GROUP BY name_birth HAVING COUNT(DISTINCT number) <= 1 AND COUNT(DISTINCT sex) <= 1
)
SELECT k.source, k.record_id,
  CASE WHEN k.number IS NOT NULL THEN CONCAT('number:', k.number)
       WHEN s.number IS NOT NULL THEN CONCAT('number:', s.number)
       WHEN s.name_birth IS NOT NULL THEN CONCAT('name:', s.name_birth)
       ELSE CONCAT('alone:', k.source, ':', k.record_id) END AS cluster_key
FROM keyed AS k LEFT JOIN safe AS s ON s.name_birth = k.name_birth
