-- held: one row = one record of a person who keeps no group tonight: what it has had until now, or had when it was dissolved.
WITH without_group AS (
  SELECT m.person_id FROM minted AS m LEFT JOIN kept AS k ON k.person_id = m.person_id WHERE k.person_id IS NULL
)
SELECT c.person_id, c.source, c.record_id FROM current_link AS c JOIN without_group AS w ON w.person_id = c.person_id
UNION ALL
SELECT person_id, source, record_id FROM dissolved
