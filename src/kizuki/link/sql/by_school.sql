-- candidate: one row = one class-list child × child of the same name on that year's 学齢簿 of the same school and grade.
-- Automatic when one such child exists on both lists; two of one name in a grade go to a person.
WITH pair AS (
  SELECT DISTINCT o.source, o.record_id, r.record_id AS resident_id, o.fiscal_year, o.school_code, o.grade
  FROM open_record AS o
  JOIN school_name AS s
    ON s.fiscal_year = o.fiscal_year AND s.school_code = o.school_code AND s.grade = o.grade AND s.name_key = o.name_key
  JOIN resident AS r ON r.person_no = s.person_no
  LEFT JOIN cannot_link AS x ON x.source = o.source AND x.record_id = o.record_id AND x.resident_id = r.record_id
  WHERE o.source = $class_list AND COALESCE(o.sex = r.sex, TRUE) AND x.source IS NULL
), children AS (
  SELECT source, record_id, COUNT(*) AS on_roll FROM pair GROUP BY source, record_id
), writings AS (
  SELECT resident_id, fiscal_year, school_code, grade, COUNT(*) AS on_list FROM pair
  GROUP BY resident_id, fiscal_year, school_code, grade
)
SELECT p.source, p.record_id, p.resident_id, 'school_grade_name' AS rule, CAST(NULL AS DOUBLE) AS weight,
  CASE WHEN c.on_roll = 1 AND w.on_list = 1 THEN 'auto' ELSE 'review' END AS decision,
  CAST(NULL AS VARCHAR) AS evidence
FROM pair AS p
JOIN children AS c ON c.source = p.source AND c.record_id = p.record_id
JOIN writings AS w ON w.resident_id = p.resident_id AND w.fiscal_year = p.fiscal_year AND w.school_code = p.school_code AND w.grade = p.grade
