-- outsider: one row = one record that belongs to no resident, with the key of its group and the evidence that put it there (rule).
-- Strongest first, each only among records the one before left alone: the valid number; the name with the birth date; both writings
-- of the name with the home; the name with the phone; the place's list that names the child again and again. The guards are those
-- for residents: a group with two numbers, two sexes or ages that do not fit, or a record that awaits review, is not joined; a record
-- joins at most one group that was there before, so no chain can grow.
WITH waiting AS (
  SELECT DISTINCT source, record_id FROM review_pair
), free AS (
  SELECT r.*, w.source IS NOT NULL AS waits,
    CASE WHEN w.source IS NULL AND r.name_key IS NOT NULL AND r.kana_key IS NOT NULL AND r.postcode IS NOT NULL AND r.block_key IS NOT NULL
         THEN CONCAT(r.name_key, '|', r.kana_key, '|', r.postcode, '|', r.block_key) END AS home,
    CASE WHEN w.source IS NULL AND r.phone IS NOT NULL AND COALESCE(r.kana_key, r.name_key) IS NOT NULL
         THEN CONCAT(r.phone, '|', COALESCE(r.kana_key, r.name_key)) END AS called
  FROM record AS r
  LEFT JOIN matched AS m ON m.source = r.source AND m.record_id = r.record_id
  LEFT JOIN waiting AS w ON w.source = r.source AND w.record_id = r.record_id
  WHERE r.source <> $register AND m.source IS NULL
), kana_name AS (
  SELECT kana_key, birth_date, MIN(name_key) AS name_key FROM free
  WHERE kana_key IS NOT NULL AND birth_date IS NOT NULL AND name_key IS NOT NULL
  GROUP BY kana_key, birth_date HAVING COUNT(DISTINCT name_key) = 1
), named AS (
  SELECT f.*, CASE WHEN f.number_valid THEN f.person_no END AS number,
    CASE WHEN NOT f.waits AND f.birth_date IS NOT NULL AND COALESCE(f.name_key, f.kana_key) IS NOT NULL
         THEN CONCAT(COALESCE(f.name_key, k.name_key, f.kana_key), '|', CAST(f.birth_date AS VARCHAR)) END AS born
  FROM free AS f
  LEFT JOIN kana_name AS k ON f.name_key IS NULL AND k.kana_key = f.kana_key AND k.birth_date = f.birth_date
), by_birth AS (
  SELECT born, MIN(number) AS number FROM named WHERE born IS NOT NULL
  GROUP BY born HAVING COUNT(DISTINCT number) <= 1 AND COUNT(DISTINCT sex) <= 1
), first_pass AS (
  SELECT n.*,
    CASE WHEN n.number IS NOT NULL THEN CONCAT('number:', n.number)
         WHEN b.number IS NOT NULL THEN CONCAT('number:', b.number)
         WHEN b.born IS NOT NULL THEN CONCAT('born:', b.born) END AS first_key,
    CASE WHEN n.number IS NOT NULL THEN 'outside_number' WHEN b.born IS NOT NULL THEN 'outside_name_birth' END AS first_rule
  FROM named AS n LEFT JOIN by_birth AS b ON b.born = n.born
), by_home AS (
  SELECT home, MIN(first_key) AS joined_key FROM first_pass WHERE home IS NOT NULL
  GROUP BY home
  HAVING COUNT(*) > 1 AND COUNT(DISTINCT first_key) <= 1 AND COUNT(DISTINCT sex) <= 1
    AND COALESCE(MAX(birth_from) <= MIN(birth_to), TRUE)
), second_pass AS (
  SELECT p.*, COALESCE(p.first_key, h.joined_key, CASE WHEN h.home IS NOT NULL THEN CONCAT('home:', h.home) END) AS second_key,
    COALESCE(p.first_rule, CASE WHEN h.home IS NOT NULL THEN 'outside_name_address' END) AS second_rule
  FROM first_pass AS p LEFT JOIN by_home AS h ON h.home = p.home
), by_phone AS (
  SELECT called, MIN(second_key) AS joined_key FROM second_pass WHERE called IS NOT NULL
  GROUP BY called
  HAVING COUNT(*) > 1 AND COUNT(DISTINCT second_key) <= 1 AND COUNT(DISTINCT sex) <= 1 AND COUNT(DISTINCT name_key) <= 1
    AND COALESCE(MAX(birth_from) <= MIN(birth_to), TRUE)
), third_pass AS (
  SELECT p.source, p.record_id, COALESCE(p.second_key, c.joined_key, CASE WHEN c.called IS NOT NULL THEN CONCAT('phone:', c.called) END) AS third_key,
    COALESCE(p.second_rule, CASE WHEN c.called IS NOT NULL THEN 'outside_name_phone' END) AS third_rule
  FROM second_pass AS p LEFT JOIN by_phone AS c ON c.called = p.called
)
SELECT p.source, p.record_id,
  COALESCE(p.third_key, CASE WHEN l.source IS NOT NULL THEN CONCAT('list:', l.source, ':', l.lead_id) END, CONCAT('alone:', p.source, ':', p.record_id)) AS cluster_key,
  COALESCE(p.third_rule, CASE WHEN l.source IS NOT NULL THEN 'outside_listing' END, 'single') AS rule
FROM third_pass AS p LEFT JOIN listing AS l ON l.source = p.source AND l.record_id = p.record_id
