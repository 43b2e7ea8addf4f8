-- candidate: one row = one class-list child × child of the same name on that year's 学齢簿 of the same school and grade (or, where
-- none is on it, on the roll of a neighbouring year). 嶋/島 and the like may differ in the 姓, the 名 must be the same. Automatic
-- when one such child exists on both lists; two of one name in a grade go to a person.
WITH named AS (
  SELECT o.source, o.record_id, r.record_id AS resident_id, o.fiscal_year, o.school_code, o.grade, MIN(s.years_off) AS years_off
  FROM open_record AS o
  JOIN school_name AS s
    ON s.fiscal_year = o.fiscal_year AND s.school_code = o.school_code AND s.grade = o.grade AND s.loose_key = o.loose_key
  JOIN resident AS r ON r.person_no = s.person_no
  LEFT JOIN cannot_link AS x ON x.source = o.source AND x.record_id = o.record_id AND x.resident_id = r.record_id
  WHERE o.source = $class_list AND COALESCE(o.sex = r.sex, TRUE) AND x.source IS NULL
    AND (s.name_key = o.name_key OR COALESCE(o.given_key = r.given_key, FALSE))
  GROUP BY o.source, o.record_id, r.record_id, o.fiscal_year, o.school_code, o.grade
), nearest AS (
  SELECT n.*, MIN(n.years_off) OVER (PARTITION BY n.source, n.record_id) AS least FROM named AS n
), pair AS (
  SELECT * FROM nearest WHERE years_off = least
), children AS (
  SELECT source, record_id, COUNT(*) AS on_roll FROM pair GROUP BY source, record_id
), writings AS (
  SELECT resident_id, fiscal_year, school_code, grade, COUNT(*) AS on_list FROM pair
  GROUP BY resident_id, fiscal_year, school_code, grade
)
SELECT p.source, p.record_id, p.resident_id,
  CASE WHEN p.years_off = 0 THEN 'school_grade_name' ELSE 'school_next_grade_name' END AS rule, CAST(NULL AS DOUBLE) AS weight,
  CASE WHEN c.on_roll = 1 AND w.on_list = 1 THEN 'auto' ELSE 'review' END AS decision,
  CAST(NULL AS VARCHAR) AS evidence
FROM pair AS p
JOIN children AS c ON c.source = p.source AND c.record_id = p.record_id
JOIN writings AS w ON w.resident_id = p.resident_id AND w.fiscal_year = p.fiscal_year AND w.school_code = p.school_code AND w.grade = p.grade
