-- held: one row = one record of a person who has none tonight: what it has had until now, or had when it was dissolved.
WITH parting AS (
  SELECT c.person_id, c.source, c.record_id
  FROM current_link AS c LEFT JOIN kept AS k ON k.person_id = c.person_id
  WHERE k.person_id IS NULL
), dissolved AS (
  SELECT person_id, source, record_id, MAX(seq) AS seq FROM event
  WHERE kind = 'unlink' AND rule = 'dissolved' GROUP BY person_id, source, record_id
), last_joined AS (
  SELECT e.person_id, MAX(e.seq) AS seq
  FROM event AS e JOIN (SELECT DISTINCT person_id FROM dissolved) AS d ON d.person_id = e.person_id
  WHERE e.kind = 'link' GROUP BY e.person_id
)
SELECT person_id, source, record_id FROM parting
UNION ALL
SELECT d.person_id, d.source, d.record_id
FROM dissolved AS d JOIN last_joined AS j ON j.person_id = d.person_id AND j.seq < d.seq
