-- placed: one row = one linked record whose true person is known, with the person it would have once every waiting pair was
-- answered rightly. A right pair moves its record to the resident's person, and with it the records of its source that are taken
-- to be the same outsider (one answer speaks for all visits of a child); two residents of one human become one person (the
-- smallest id stands for both); wrong pairs change nothing.
WITH known AS (
  SELECT l.source, l.record_id, l.person_id, t.true_person
  FROM link AS l JOIN truth AS t ON t.source = l.source AND t.record_id = l.record_id
), resident_known AS (
  SELECT record_id, person_id, true_person FROM known WHERE source = $register
), told AS (
  SELECT p.source, p.record_id, k.person_id AS left_id, MIN(r.person_id) AS person_id
  FROM review_pair AS p
  JOIN known AS k ON k.source = p.source AND k.record_id = p.record_id
  JOIN resident_known AS r ON r.record_id = p.resident_id AND r.true_person = k.true_person
  WHERE p.source <> $register
  GROUP BY p.source, p.record_id, k.person_id
), led AS (
  SELECT t.source, t.left_id, MIN(t.person_id) AS person_id
  FROM told AS t
  LEFT JOIN (SELECT DISTINCT person_id FROM resident_known) AS h ON h.person_id = t.left_id
  WHERE h.person_id IS NULL
  GROUP BY t.source, t.left_id
), moved AS (
  SELECT k.source, k.record_id, COALESCE(t.person_id, d.person_id) AS person_id
  FROM known AS k
  LEFT JOIN told AS t ON t.source = k.source AND t.record_id = k.record_id
  LEFT JOIN led AS d ON d.source = k.source AND d.left_id = k.person_id
  WHERE COALESCE(t.person_id, d.person_id) IS NOT NULL
), same_pair AS (
  SELECT a.person_id, b.person_id AS other_id, a.true_person
  FROM review_pair AS p
  JOIN resident_known AS a ON a.record_id = p.record_id AND p.source = $register
  JOIN resident_known AS b ON b.record_id = p.resident_id AND b.true_person = a.true_person
), side AS (
  SELECT person_id, true_person FROM same_pair
  UNION SELECT other_id AS person_id, true_person FROM same_pair
), chosen AS (
  SELECT true_person, MIN(person_id) AS person_id FROM side GROUP BY true_person
), merged AS (
  SELECT s.person_id, MIN(c.person_id) AS into_id
  FROM side AS s JOIN chosen AS c ON c.true_person = s.true_person
  GROUP BY s.person_id
)
SELECT k.source, k.record_id, COALESCE(g.into_id, m.person_id, k.person_id) AS person_id, k.true_person
FROM known AS k
LEFT JOIN moved AS m ON m.source = k.source AND m.record_id = k.record_id
LEFT JOIN merged AS g ON g.person_id = COALESCE(m.person_id, k.person_id)
