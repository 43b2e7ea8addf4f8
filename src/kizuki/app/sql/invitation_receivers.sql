-- One row per person × status by whom a benefit is received now: payee = 1 the receiver the source names (spells of the kind
-- `receiver`), 0 a parent or 保護者 living with a child for whom it is received.
WITH running AS (
  SELECT DISTINCT person_id, kind, status
  FROM spell
  WHERE kind IN ($receiver, $kind) AND known_to IS NULL AND valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
)
SELECT person_id, status, 1 AS payee
FROM running
WHERE kind = $receiver
UNION
SELECT k.related_id AS person_id, r.status, 0 AS payee
FROM running AS r
JOIN kinship AS k ON k.person_id = r.person_id AND k.kind IN ('parent', 'guardian') AND k.together AND k.valid_to IS NULL
WHERE r.kind = $kind
