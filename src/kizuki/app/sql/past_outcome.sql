-- One row per person with any record that a criteria set's 検証の記録 (outcome_rule) counts: had it by $as_of or in the year before
-- ($since, as far as known on $known), and had it begin after $as_of up to $until (as known now).
WITH hit AS (
  SELECT
    s.person_id,
    CASE
      WHEN s.valid_from <= $as_of AND (s.valid_to IS NULL OR s.valid_to > $since)
        AND s.known_from <= $known AND (s.known_to IS NULL OR s.known_to > $known) THEN CAST(1 AS DOUBLE)
    END AS before,
    CASE WHEN s.valid_from > $as_of AND s.valid_from <= $until AND s.known_to IS NULL THEN CAST(1 AS DOUBLE) END AS after,
    r.rule,
    r.of,
    r.at_least
  FROM spell AS s
  JOIN outcome_rule AS r ON r.of = 'start' AND r.kind = s.kind AND (r.code IS NULL OR r.code = s.status)
  UNION ALL
  SELECT
    e.person_id,
    CASE
      WHEN e.happened_on > $since AND e.happened_on <= $as_of
        AND e.known_from <= $known AND (e.known_to IS NULL OR e.known_to > $known) THEN COALESCE(e.value, 1)
    END AS before,
    CASE WHEN e.happened_on > $as_of AND e.happened_on <= $until AND e.known_to IS NULL THEN COALESCE(e.value, 1) END AS after,
    r.rule,
    r.of,
    r.at_least
  FROM event AS e
  JOIN outcome_rule AS r ON r.of <> 'start' AND r.kind = e.kind AND (r.code IS NULL OR r.code = e.code)
  WHERE e.value_state IN ('known', 'zero')
),
reached AS (
  SELECT
    person_id,
    rule,
    CASE WHEN MIN(of) = 'sum' THEN SUM(before) ELSE MAX(before) END >= MIN(at_least) AS before,
    CASE WHEN MIN(of) = 'sum' THEN SUM(after) ELSE MAX(after) END >= MIN(at_least) AS after
  FROM hit
  GROUP BY person_id, rule
)
SELECT
  person_id,
  MAX(CASE WHEN before THEN 1 ELSE 0 END) AS had_before,
  MAX(CASE WHEN after THEN 1 ELSE 0 END) AS began
FROM reached
GROUP BY person_id
