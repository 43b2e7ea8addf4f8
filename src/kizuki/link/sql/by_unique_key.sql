-- candidate: one row = one open record × resident sharing a key strong enough to stand alone, when it points at one resident only.
-- Keys: kana name + birth; kanji name (or 通称) + birth; kana + kanji + postcode + block; a former name + birth; the same 名, a 姓
-- alike when loosely folded, + birth. Sex must not differ. Same sound is not
-- enough when both kanji names are known and the 名 is another (陽菜, 日奈), nor when the 名 is read alike but not written alike (ユキ, ユウキ) and
-- no kanji speaks for it: a twin who is not in the register must not become the one who is. Another home and another phone together
-- speak of a namesake born the same day: the weighing and a person decide. Two guards more. A reading and a birthday, with no
-- kanji on one side, at another address may be a namesake's who is not in the register: only a reading nobody else here bears is enough
-- then (measured: asking more than that of every such record leaves 2 of 100 more to people). One kanji read otherwise (彩 アイ, アヤ) may
-- be another child: a 名 whose readings are two letters apart, or one letter where it has but two, is not the same for a machine.
WITH reading AS (
  SELECT kana_key, COUNT(*) AS bearers FROM resident GROUP BY kana_key
), candidate AS (
  SELECT o.source, o.record_id, r.record_id AS resident_id, 'name_kana_birth' AS rule, 1 AS pass
  FROM open_record AS o
  JOIN resident AS r ON r.kana_key = o.kana_key AND r.birth_date = o.birth_date
  JOIN reading AS b ON b.kana_key = r.kana_key
  WHERE COALESCE(o.sex = r.sex, TRUE)
    AND (b.bearers = 1 OR COALESCE(o.given_key = r.given_key OR o.loose_key = r.loose_key, FALSE)
      OR COALESCE(o.town_key = r.town_key, TRUE) OR COALESCE(o.phone = r.phone, FALSE))
    AND (o.name_key IS NULL OR r.name_key IS NULL OR o.given_key = r.given_key OR o.loose_key = r.loose_key)
    AND (COALESCE(o.given_key = r.given_key, FALSE) OR COALESCE(o.kana_written = r.kana_written, FALSE)
      OR COALESCE(o.given_written = r.given_written, FALSE))
  UNION ALL
  SELECT o.source, o.record_id, r.record_id AS resident_id, 'name_kanji_birth' AS rule, 2 AS pass
  FROM open_record AS o JOIN resident AS r ON r.name_key = o.name_key AND r.birth_date = o.birth_date
  WHERE COALESCE(o.sex = r.sex, TRUE) AND COALESCE(LEVENSHTEIN(o.given_code, r.given_code) = 0
    OR (LEVENSHTEIN(o.given_code, r.given_code) = 1 AND LENGTH(o.given_code) > 2 AND LENGTH(r.given_code) > 2), TRUE)
  UNION ALL
  SELECT o.source, o.record_id, r.record_id AS resident_id, 'alias_birth' AS rule, 3 AS pass
  FROM open_record AS o JOIN resident AS r ON r.alias_key = o.name_key AND r.birth_date = o.birth_date
  WHERE COALESCE(o.sex = r.sex, TRUE)
  UNION ALL
  SELECT o.source, o.record_id, r.record_id AS resident_id, 'name_address' AS rule, 4 AS pass
  FROM open_record AS o
  JOIN resident AS r ON r.kana_key = o.kana_key AND r.name_key = o.name_key AND r.postcode = o.postcode AND r.block_key = o.block_key
  WHERE COALESCE(o.sex = r.sex, TRUE) AND o.birth_date IS NULL
    AND COALESCE(r.birth_date BETWEEN o.birth_from AND o.birth_to, TRUE)
  UNION ALL
  SELECT o.source, o.record_id, r.record_id AS resident_id, 'former_name_birth' AS rule, 5 AS pass
  FROM open_record AS o
  JOIN former_name AS f ON f.name_key = o.name_key
  JOIN resident AS r ON r.record_id = f.resident_id AND r.birth_date = o.birth_date
  WHERE COALESCE(o.sex = r.sex, TRUE) AND COALESCE(o.kana_key IN (f.kana_key, r.kana_key), TRUE)
  UNION ALL
  SELECT o.source, o.record_id, r.record_id AS resident_id, 'name_loose_birth' AS rule, 6 AS pass
  FROM open_record AS o JOIN resident AS r ON r.loose_key = o.loose_key AND r.birth_date = o.birth_date
  WHERE COALESCE(o.sex = r.sex, TRUE) AND o.given_key = r.given_key
    AND COALESCE(LEVENSHTEIN(o.given_code, r.given_code) = 0
      OR (LEVENSHTEIN(o.given_code, r.given_code) = 1 AND LENGTH(o.given_code) > 2 AND LENGTH(r.given_code) > 2), TRUE)
), allowed AS (
  SELECT c.* FROM candidate AS c
  LEFT JOIN cannot_link AS x ON x.source = c.source AND x.record_id = c.record_id AND x.resident_id = c.resident_id
  JOIN open_record AS o ON o.source = c.source AND o.record_id = c.record_id
  JOIN resident AS r ON r.record_id = c.resident_id
  WHERE x.source IS NULL AND NOT COALESCE(o.phone <> r.phone AND (o.town_key <> r.town_key OR o.block_key <> r.block_key), FALSE)
), counted AS (
  SELECT source, record_id, pass, COUNT(*) AS rivals FROM allowed GROUP BY source, record_id, pass
), sole AS (
  SELECT a.source, a.record_id, a.resident_id, a.rule, a.pass
  FROM allowed AS a
  JOIN counted AS n ON n.source = a.source AND n.record_id = a.record_id AND n.pass = a.pass AND n.rivals = 1
), agreed AS (
  SELECT source, record_id, MIN(resident_id) AS resident_id, MIN(pass) AS pass
  FROM sole GROUP BY source, record_id HAVING COUNT(DISTINCT resident_id) = 1
)
SELECT a.source, a.record_id, a.resident_id, s.rule, CAST(NULL AS DOUBLE) AS weight, 'auto' AS decision, CAST(NULL AS VARCHAR) AS evidence
FROM agreed AS a
JOIN sole AS s ON s.source = a.source AND s.record_id = a.record_id AND s.pass = a.pass
