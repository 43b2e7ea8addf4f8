-- person_case: one row = one true person of the register × one kind of difficulty it is in: what the caller says about residents,
-- and what the register's own rows show. Twins: same 姓, birthday and block; namesakes: another true person has the same kanji name.
WITH resident_row AS (
  SELECT p.record_id, p.name_key, p.family_key, p.birth_date, p.town_key, p.block_key, p.alias_key, t.true_person
  FROM person_record AS p JOIN truth AS t ON t.source = p.source AND t.record_id = p.record_id
  WHERE p.source = $register
), named AS (
  SELECT name_key FROM resident_row GROUP BY name_key HAVING COUNT(DISTINCT true_person) > 1
), named_born AS (
  SELECT name_key, birth_date FROM resident_row GROUP BY name_key, birth_date HAVING COUNT(DISTINCT true_person) > 1
), returned AS (
  SELECT true_person FROM resident_row GROUP BY true_person HAVING COUNT(DISTINCT record_id) > 1
)
SELECT g.name, r.true_person FROM resident_case AS g JOIN resident_row AS r ON r.record_id = g.record_id
UNION SELECT 'alias_name' AS name, true_person FROM resident_row WHERE alias_key IS NOT NULL
UNION SELECT 'namesakes' AS name, r.true_person FROM resident_row AS r JOIN named AS n ON n.name_key = r.name_key
UNION SELECT 'namesakes_same_birth' AS name, r.true_person
  FROM resident_row AS r JOIN named_born AS n ON n.name_key = r.name_key AND n.birth_date = r.birth_date
UNION SELECT 'returned' AS name, true_person FROM returned
UNION SELECT 'twins' AS name, a.true_person
  FROM resident_row AS a
  JOIN resident_row AS b ON b.family_key = a.family_key AND b.birth_date = a.birth_date AND b.town_key = a.town_key
    AND b.block_key = a.block_key AND b.true_person <> a.true_person
