-- school_name: one row = one name (also loosely folded) a child on one year's 学齢簿 (year, school, grade) may be written with: the
-- roll's own, the register's of now and before, the 通称. years_off = 1: told by the roll of the next or the last year of the same
-- school, one grade on; it speaks for children who came after the year's last roll.
WITH roll AS (
  SELECT s.person_no, s.fiscal_year, s.school_code, CAST(s.grade AS INT) AS grade, s.name_key, 0 AS years_off FROM school_roll AS s
  UNION ALL
  SELECT s.person_no, s.fiscal_year - 1, s.school_code, CAST(s.grade AS INT) - 1, s.name_key, 1 FROM school_roll AS s
  UNION ALL
  SELECT s.person_no, s.fiscal_year + 1, s.school_code, CAST(s.grade AS INT) + 1, s.name_key, 1 FROM school_roll AS s
), name AS (
  SELECT s.person_no, s.fiscal_year, s.school_code, s.grade, s.years_off, s.name_key FROM roll AS s
  UNION ALL
  SELECT s.person_no, s.fiscal_year, s.school_code, s.grade, s.years_off, r.name_key
  FROM roll AS s JOIN resident AS r ON r.person_no = s.person_no
  UNION ALL
  SELECT s.person_no, s.fiscal_year, s.school_code, s.grade, s.years_off, r.alias_key
  FROM roll AS s JOIN resident AS r ON r.person_no = s.person_no
  UNION ALL
  SELECT s.person_no, s.fiscal_year, s.school_code, s.grade, s.years_off, f.name_key
  FROM roll AS s JOIN resident AS r ON r.person_no = s.person_no JOIN former_name AS f ON f.resident_id = r.record_id
)
SELECT n.person_no, n.fiscal_year, n.school_code, CAST(n.grade AS VARCHAR) AS grade, n.name_key,
  COALESCE(w.loose_key, n.name_key) AS loose_key, MIN(n.years_off) AS years_off
FROM name AS n LEFT JOIN loose_name AS w ON w.name_key = n.name_key
WHERE n.name_key IS NOT NULL
GROUP BY n.person_no, n.fiscal_year, n.school_code, n.grade, n.name_key, COALESCE(w.loose_key, n.name_key)
