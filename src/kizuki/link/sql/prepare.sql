-- record: one row = one person as one source writes them, ready for comparison.
-- sex is 1, 2 or blank; birth_from/birth_to hold the dates the birth must lie between (from the date itself, else from the
-- school year); loose_key is the kanji name with 嶋/島 and the like folded too; number_valid says the
-- 宛名番号 passes its check digit (modulus 11, weights 2-7 from the right);
-- *_written are kana letter for letter (only small and large, ヂ and ジ alike): ユキ and ユウキ, one key, may be two children of a family.
-- *_code are kana as one byte each.
WITH numbered AS (
  SELECT p.*, TRANSLATE(p.kana, 'ァィゥェォッャュョヮヂヅヲ・', 'アイウエオツヤユヨワジズオ') AS heard,
    CASE WHEN p.person_no IS NOT NULL AND LENGTH(p.person_no) = 10 THEN
      11 - (TRY_CAST(SUBSTRING(p.person_no, 9, 1) AS INT) * 2 + TRY_CAST(SUBSTRING(p.person_no, 8, 1) AS INT) * 3
          + TRY_CAST(SUBSTRING(p.person_no, 7, 1) AS INT) * 4 + TRY_CAST(SUBSTRING(p.person_no, 6, 1) AS INT) * 5
          + TRY_CAST(SUBSTRING(p.person_no, 5, 1) AS INT) * 6 + TRY_CAST(SUBSTRING(p.person_no, 4, 1) AS INT) * 7
          + TRY_CAST(SUBSTRING(p.person_no, 3, 1) AS INT) * 2 + TRY_CAST(SUBSTRING(p.person_no, 2, 1) AS INT) * 3
          + TRY_CAST(SUBSTRING(p.person_no, 1, 1) AS INT) * 4) % 11
    END AS check_value,
    COALESCE(y.fiscal_year, CAST(CASE WHEN EXTRACT(MONTH FROM p.known_from) >= 4 THEN EXTRACT(YEAR FROM p.known_from)
                                      ELSE EXTRACT(YEAR FROM p.known_from) - 1 END AS INT)) AS fiscal_year
  FROM person_record AS p
  LEFT JOIN class_year AS y ON y.source = p.source AND y.record_id = p.record_id
)
SELECT n.source, n.record_id, n.person_no, n.name_key,
  COALESCE(w.loose_key, n.name_key) AS loose_key, n.family_key, n.given_key, n.kana_key, n.family_kana_key, n.given_kana_key,
  n.alias_key, n.birth_date, n.postcode, n.town_key, n.block_key, n.phone, n.school_code, n.grade, n.fiscal_year,
  CASE WHEN n.sex IN ('1', '男') THEN '1' WHEN n.sex IN ('2', '女') THEN '2' END AS sex,
  f.code AS family_code, g.code AS given_code,
  CASE WHEN f.code IS NOT NULL AND g.code IS NOT NULL THEN CONCAT(f.code, g.code) ELSE k.code END AS name_code,
  REPLACE(n.heard, ' ', '') AS kana_written,
  CASE WHEN n.heard LIKE '% %' AND n.heard NOT LIKE '% % %' THEN SUBSTRING(n.heard, STRPOS(n.heard, ' ') + 1) END AS given_written,
  COALESCE(n.birth_date, MAKE_DATE(CAST(n.fiscal_year - 6 - b.last_grade AS INT), 4, 2)) AS birth_from,
  COALESCE(n.birth_date, MAKE_DATE(CAST(n.fiscal_year - 5 - b.first_grade AS INT), 4, 1)) AS birth_to,
  CASE WHEN n.check_value IS NULL THEN FALSE
       ELSE TRY_CAST(SUBSTRING(n.person_no, 10, 1) AS INT) = CASE WHEN n.check_value >= 10 THEN 0 ELSE n.check_value END
  END AS number_valid
FROM numbered AS n
LEFT JOIN loose_name AS w ON w.name_key = n.name_key
LEFT JOIN grade_band AS b ON b.label = n.grade
LEFT JOIN kana_code AS f ON f.kana = n.family_kana_key
LEFT JOIN kana_code AS g ON g.kana = n.given_kana_key
LEFT JOIN kana_code AS k ON k.kana = n.kana_key AND n.family_kana_key IS NULL
