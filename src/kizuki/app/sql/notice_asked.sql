-- One member × what was asked of one programme: applying (asked for, not paid yet) or refused (not long ago).
-- The spell kinds and statuses that say so are those of the programme's definition.
SELECT h.household_id, s.person_id, CASE WHEN s.status IN $refused THEN 'refused' ELSE 'applying' END AS asked
FROM spell AS s
JOIN household_member AS h ON h.person_id = s.person_id AND h.known_to IS NULL AND h.valid_to IS NULL
WHERE s.kind = $kind
  AND s.known_to IS NULL
  AND s.valid_from <= $as_of
  AND (
    (s.status IN $applied AND (s.valid_to IS NULL OR s.valid_to > $as_of))
    OR (s.status IN $refused AND s.valid_from > $refused_since)
  )
  AND ($everybody OR h.household_id IN $homes)
