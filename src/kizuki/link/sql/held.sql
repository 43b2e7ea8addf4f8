-- held: one row = one record of a person who keeps no group tonight: what it has had until now, or had when it was dissolved.
SELECT c.person_id, c.source, c.record_id
FROM current_link AS c LEFT JOIN kept AS k ON k.person_id = c.person_id
WHERE k.person_id IS NULL
UNION ALL
SELECT person_id, source, record_id FROM dissolved
