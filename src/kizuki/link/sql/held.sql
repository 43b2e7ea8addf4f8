-- held: one row = one record that a person without any record now had until the last.
WITH parted AS (
  SELECT person_id, source, record_id, MAX(night) AS night FROM event WHERE kind = 'unlink' GROUP BY person_id, source, record_id
), last_night AS (
  SELECT person_id, MAX(night) AS night FROM parted GROUP BY person_id
)
SELECT p.person_id, p.source, p.record_id
FROM parted AS p
JOIN last_night AS l ON l.person_id = p.person_id AND l.night = p.night
LEFT JOIN (SELECT DISTINCT person_id FROM current_link) AS alive ON alive.person_id = p.person_id
WHERE alive.person_id IS NULL
