-- dissolved: one row = one record that a person without any record now had until it was dissolved.
WITH left_last AS (
  SELECT person_id, source, record_id, MAX(seq) AS seq FROM event
  WHERE kind = 'unlink' AND rule = 'dissolved' GROUP BY person_id, source, record_id
), joined_last AS (
  SELECT e.person_id, MAX(e.seq) AS seq
  FROM event AS e JOIN (SELECT DISTINCT person_id FROM left_last) AS d ON d.person_id = e.person_id
  WHERE e.kind = 'link' GROUP BY e.person_id
)
SELECT d.person_id, d.source, d.record_id
FROM left_last AS d JOIN joined_last AS j ON j.person_id = d.person_id AND j.seq < d.seq
