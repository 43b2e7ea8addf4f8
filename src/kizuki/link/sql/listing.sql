-- listing: one row = one record of a list kept at one place (visits to a facility, a school's class lists) that says nothing but a
-- name, with the first record of the same child there (lead_id) and the dates the birth must lie between by all of them together.
-- Records of one name, letter for letter, at one place are one child when their ages agree, no class list has the name twice in a
-- year, the city knows at most one such child of any age that one of them allows, and no reviewer has told them apart. Where others
-- give an age, one without may be any child's. A record that is the only one of its kind has no row.
WITH bare AS (
  SELECT r.source, r.record_id, r.school_code, r.fiscal_year, r.sex, r.birth_from, r.birth_to, r.loose_key, r.kana_key,
    MAKE_DATE(CAST(r.fiscal_year - 6 - a.last_grade AS INT), 4, 2) AS child_from,
    MAKE_DATE(CAST(r.fiscal_year - 5 - a.first_grade AS INT), 4, 1) AS child_to,
    CONCAT(COALESCE(r.loose_key, ''), '|', COALESCE(r.kana_written, '')) AS written, m.resident_id AS decided
  FROM record AS r
  CROSS JOIN (SELECT MIN(first_grade) AS first_grade, MAX(last_grade) AS last_grade FROM grade_band) AS a
  LEFT JOIN matched AS m ON m.source = r.source AND m.record_id = r.record_id
  LEFT JOIN (SELECT DISTINCT source, record_id FROM candidate WHERE decision = 'review') AS d
    ON d.source = r.source AND d.record_id = r.record_id
  WHERE r.source <> $register AND NOT r.number_valid AND r.birth_date IS NULL AND r.block_key IS NULL AND r.phone IS NULL
    AND r.school_code IS NOT NULL AND (r.loose_key IS NOT NULL OR r.kana_key IS NOT NULL)
    AND d.source IS NULL AND COALESCE(m.decision, 'reviewed') = 'reviewed'
), told_apart AS (
  SELECT b.source, b.school_code, b.written
  FROM bare AS b
  JOIN cannot_link AS x ON x.source = b.source AND x.record_id = b.record_id
  JOIN bare AS y ON y.source = b.source AND y.school_code = b.school_code AND y.written = b.written AND y.decided = x.resident_id
  GROUP BY b.source, b.school_code, b.written
), child AS (
  SELECT source, school_code, written, MIN(loose_key) AS loose_key, MIN(kana_key) AS kana_key, MIN(record_id) AS lead_id,
    MAX(birth_from) AS birth_from, MIN(birth_to) AS birth_to,
    CASE WHEN COUNT(birth_from) > 0 THEN MIN(COALESCE(birth_from, child_from)) END AS least_from,
    CASE WHEN COUNT(birth_to) > 0 THEN MAX(COALESCE(birth_to, child_to)) END AS most_to
  FROM bare
  GROUP BY source, school_code, written
  HAVING COUNT(*) > 1 AND COALESCE(MAX(birth_from) <= MIN(birth_to), TRUE) AND COUNT(DISTINCT sex) <= 1
    AND COUNT(DISTINCT decided) <= 1 AND (source <> $class_list OR COUNT(*) = COUNT(DISTINCT fiscal_year))
), bearer AS (
  SELECT c.source, c.school_code, c.written, r.record_id AS resident_id
  FROM child AS c JOIN resident AS r ON r.kana_key = c.kana_key
  WHERE COALESCE(r.birth_date BETWEEN c.least_from AND c.most_to, TRUE)
  UNION
  SELECT c.source, c.school_code, c.written, r.record_id AS resident_id
  FROM child AS c JOIN resident AS r ON r.loose_key = c.loose_key
  WHERE COALESCE(r.birth_date BETWEEN c.least_from AND c.most_to, TRUE)
), several AS (
  SELECT source, school_code, written FROM bearer GROUP BY source, school_code, written HAVING COUNT(*) > 1
)
SELECT b.source, b.record_id, c.lead_id, c.birth_from, c.birth_to
FROM child AS c
JOIN bare AS b ON b.source = c.source AND b.school_code = c.school_code AND b.written = c.written
LEFT JOIN told_apart AS t ON t.source = c.source AND t.school_code = c.school_code AND t.written = c.written
LEFT JOIN several AS s ON s.source = c.source AND s.school_code = c.school_code AND s.written = c.written
WHERE t.source IS NULL AND s.source IS NULL
