-- One row per stretch in which the child lived at one address of the city, as known now.
SELECT
  r.person_id, r.valid_from AS lived_from, r.valid_to AS lived_to, r.town, r.source, r.delivery_id
FROM residence AS r
WHERE r.person_id = $person_id AND r.known_to IS NULL
