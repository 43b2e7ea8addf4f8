-- claimed: one row = one group of tonight that gets a person of before. A living person wants one group: the one with its resident;
-- where several qualify, the one whose record has been its own the longest. A dissolved person wants the group in which all its
-- former records are together, a resident's the one with its resident wherever the others went. A resident's person leaves its
-- group to no other; else the oldest of those who want a group gets it.
WITH prior AS (
  SELECT a.anchor_source, a.anchor_id, a.source, a.record_id, c.person_id
  FROM assignment AS a JOIN current_link AS c ON c.source = a.source AND c.record_id = a.record_id
), parted AS (
  SELECT person_id FROM prior GROUP BY person_id
  HAVING MIN(anchor_id) <> MAX(anchor_id) OR MIN(anchor_source) <> MAX(anchor_source)
), bond AS (
  SELECT e.person_id, e.source, e.record_id, MIN(e.seq) AS since
  FROM event AS e JOIN parted AS p ON p.person_id = e.person_id
  WHERE e.kind = 'link' GROUP BY e.person_id, e.source, e.record_id
), living AS (
  SELECT p.anchor_source, p.anchor_id, p.person_id, MAX(CASE WHEN p.source = $register THEN 1 ELSE 0 END) AS resident,
    MIN(CASE WHEN p.source = $register THEN b.since END) AS resident_since, MIN(b.since) AS since
  FROM prior AS p
  LEFT JOIN bond AS b ON b.person_id = p.person_id AND b.source = p.source AND b.record_id = p.record_id
  GROUP BY p.anchor_source, p.anchor_id, p.person_id
), again AS (
  SELECT a.anchor_source, a.anchor_id, d.person_id, CASE WHEN d.source = $register THEN 1 ELSE 0 END AS of_register,
    MAX(CASE WHEN d.source = $register THEN 1 ELSE 0 END) OVER (PARTITION BY d.person_id) AS resident
  FROM dissolved AS d JOIN assignment AS a ON a.source = d.source AND a.record_id = d.record_id
), former AS (
  SELECT MIN(anchor_source) AS anchor_source, MIN(anchor_id) AS anchor_id, person_id, MAX(resident) AS resident
  FROM again WHERE of_register = resident
  GROUP BY person_id
  HAVING MIN(anchor_id) = MAX(anchor_id) AND MIN(anchor_source) = MAX(anchor_source)
), held_by_resident AS (
  SELECT anchor_source, anchor_id FROM living WHERE resident = 1
  UNION
  SELECT anchor_source, anchor_id FROM former WHERE resident = 1
), wish AS (
  SELECT l.anchor_source, l.anchor_id, l.person_id, l.resident, 0 AS returned, ROW_NUMBER() OVER (
    PARTITION BY l.person_id ORDER BY l.resident DESC, l.resident_since, l.since, l.anchor_source, l.anchor_id) AS choice
  FROM living AS l
  LEFT JOIN held_by_resident AS h ON h.anchor_source = l.anchor_source AND h.anchor_id = l.anchor_id
  WHERE l.resident = 1 OR h.anchor_id IS NULL
  UNION ALL
  SELECT f.anchor_source, f.anchor_id, f.person_id, f.resident, 1 AS returned, 1 AS choice
  FROM former AS f
  LEFT JOIN held_by_resident AS h ON h.anchor_source = f.anchor_source AND h.anchor_id = f.anchor_id
  WHERE f.resident = 1 OR h.anchor_id IS NULL
), chosen AS (
  SELECT w.anchor_source, w.anchor_id, w.person_id, w.returned, ROW_NUMBER() OVER (
    PARTITION BY w.anchor_source, w.anchor_id ORDER BY w.resident DESC, m.first_seq, w.person_id) AS place
  FROM wish AS w JOIN minted AS m ON m.person_id = w.person_id
  WHERE w.choice = 1
)
SELECT anchor_source, anchor_id, person_id, returned FROM chosen WHERE place = 1
