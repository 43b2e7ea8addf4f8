-- One person × source: from when and until when the source could know whoever was a resident on $as_of, as known on $known. The
-- mart's own coverage is about today's residents: used for a past day it would make everybody who left, or grew up, unknown.
SELECT
  p.person_id,
  f.source,
  CAST(GREATEST(MIN(COALESCE(p.resident_from, p.valid_from)), MIN(f.covered_from)) AS DATE) AS covered_from,
  MAX(f.covered_until) AS covered_until
FROM person AS p
CROSS JOIN past_reach AS f
WHERE p.valid_from <= $as_of AND (p.valid_to IS NULL OR p.valid_to > $as_of)
  AND p.known_from <= $known AND (p.known_to IS NULL OR p.known_to > $known)
  AND p.resident_status = 'resident'
GROUP BY p.person_id, f.source
