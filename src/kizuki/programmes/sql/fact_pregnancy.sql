-- One person whose notice of pregnancy, as known on $as_of, says that she is pregnant that day: up to two weeks past the fortieth
-- week by the weeks told, counted from the eighth week where they are not.
SELECT e.person_id
FROM event AS e
WHERE e.kind = 'pregnancy_notice' AND e.happened_on <= $as_of
  AND e.known_from <= $as_of AND (e.known_to IS NULL OR e.known_to > $as_of)
  AND DATE_DIFF('DAY', e.happened_on, $as_of) < 294 - 7 * COALESCE(e.value, 8)
GROUP BY e.person_id
