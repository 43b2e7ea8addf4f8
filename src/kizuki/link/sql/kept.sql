-- kept: one row = one group of tonight that keeps a person of before. Each person wants one group: the one with its resident,
-- where several qualify the one whose record has been its own the longest. Among those who want the same group, a resident's person
-- comes first, then the person most of its records had, then the older one.
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
), claim AS (
  SELECT p.anchor_source, p.anchor_id, p.person_id, COUNT(*) AS records,
    MAX(CASE WHEN p.source = $register THEN 1 ELSE 0 END) AS resident,
    MIN(CASE WHEN p.source = $register THEN b.since END) AS resident_since, MIN(b.since) AS since
  FROM prior AS p
  LEFT JOIN bond AS b ON b.person_id = p.person_id AND b.source = p.source AND b.record_id = p.record_id
  GROUP BY p.anchor_source, p.anchor_id, p.person_id
), wish AS (
  SELECT c.*, ROW_NUMBER() OVER (
    PARTITION BY person_id ORDER BY resident DESC, resident_since, since, anchor_source, anchor_id) AS choice
  FROM claim AS c
), chosen AS (
  SELECT w.*, ROW_NUMBER() OVER (
    PARTITION BY w.anchor_source, w.anchor_id
    ORDER BY w.resident DESC, CASE WHEN w.resident = 1 THEN 0 ELSE w.records END DESC, m.first_seq, w.person_id) AS place
  FROM wish AS w JOIN minted AS m ON m.person_id = w.person_id
  WHERE w.choice = 1
)
SELECT anchor_source, anchor_id, person_id FROM chosen WHERE place = 1
