-- one row = one attribute × state of agreement × which writings both sides have: how many pairs.
WITH pair AS (
  SELECT p.*,
    CASE WHEN family_key_l IS NOT NULL AND family_key_r IS NOT NULL
         THEN CASE WHEN family_kana_key_l IS NOT NULL AND family_kana_key_r IS NOT NULL THEN 'both' ELSE 'kanji' END
         ELSE CASE WHEN family_kana_key_l IS NOT NULL AND family_kana_key_r IS NOT NULL THEN 'kana' ELSE 'none' END END AS family_written,
    CASE WHEN given_key_l IS NOT NULL AND given_key_r IS NOT NULL
         THEN CASE WHEN given_kana_key_l IS NOT NULL AND given_kana_key_r IS NOT NULL THEN 'both' ELSE 'kanji' END
         ELSE CASE WHEN given_kana_key_l IS NOT NULL AND given_kana_key_r IS NOT NULL THEN 'kana' ELSE 'none' END END AS given_written
  FROM predicted AS p
  WHERE (p.label_l = p.label_r) = $same_person
), told AS (
  SELECT 'family' AS attribute, gamma_family AS state, family_written AS written FROM pair
  UNION ALL SELECT 'given' AS attribute, gamma_given AS state, given_written AS written FROM pair
  UNION ALL SELECT 'birth' AS attribute, gamma_birth AS state, 'none' AS written FROM pair
  UNION ALL SELECT 'sex' AS attribute, gamma_sex AS state, 'none' AS written FROM pair
  UNION ALL SELECT 'address' AS attribute, gamma_address AS state, 'none' AS written FROM pair
  UNION ALL SELECT 'phone' AS attribute, gamma_phone AS state, 'none' AS written FROM pair
)
SELECT attribute, CAST(state AS INT) AS state, written, COUNT(*) AS pairs FROM told GROUP BY attribute, state, written
