-- school_name: one row = one name a child on one year's 学齢簿 (year, school, grade) may be written with: the roll's own, the
-- register's, the 通称.
SELECT DISTINCT s.person_no, s.fiscal_year, s.school_code, s.grade, s.name_key
FROM school_roll AS s WHERE s.name_key IS NOT NULL
UNION
SELECT s.person_no, s.fiscal_year, s.school_code, s.grade, r.name_key
FROM school_roll AS s JOIN resident AS r ON r.person_no = s.person_no WHERE r.name_key IS NOT NULL
UNION
SELECT s.person_no, s.fiscal_year, s.school_code, s.grade, r.alias_key
FROM school_roll AS s JOIN resident AS r ON r.person_no = s.person_no WHERE r.alias_key IS NOT NULL
