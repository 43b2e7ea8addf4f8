-- One row per person with any record that a criteria set's 検証の記録 (outcome_rule) counts: had it by $as_of or in the year before
-- ($since, as far as known on $known), had it begin after $as_of up to $until (as known now), or had begin only what tells
-- nothing: a spell within another that had not yet run for a year (school aid with the entry to school is no new poverty).
WITH counted AS (
  SELECT
    e.person_id, e.happened_on, e.value, e.known_from, e.known_to, r.rule, r.of, r.at_least
  FROM event AS e
  JOIN outcome_rule AS r ON r.of <> 'start' AND r.whose = 'child' AND r.kind = e.kind AND (r.code IS NULL OR r.code = e.code)
  WHERE e.value_state IN ('known', 'zero')
  UNION ALL
  SELECT
    c.person_id,
    e.happened_on,
    e.value,
    GREATEST(e.known_from, a.known_from, c.known_from) AS known_from,
    LEAST(e.known_to, a.known_to, c.known_to) AS known_to,
    r.rule,
    r.of,
    r.at_least
  FROM event AS e
  JOIN outcome_rule AS r
    ON r.of = 'event' AND r.whose = 'household' AND r.kind = e.kind AND (r.code IS NULL OR r.code = e.code)
  JOIN household_member AS a
    ON a.person_id = e.person_id AND a.valid_from <= e.happened_on AND (a.valid_to IS NULL OR a.valid_to > e.happened_on)
  JOIN household_member AS c
    ON c.household_id = a.household_id AND c.valid_from <= e.happened_on AND (c.valid_to IS NULL OR c.valid_to > e.happened_on)
  WHERE e.value_state IN ('known', 'zero')
),
settled AS (
  SELECT DISTINCT s.person_id, r.within
  FROM spell AS s
  JOIN outcome_rule AS r ON r.within = s.kind
  WHERE s.valid_from <= $since AND (s.valid_to IS NULL OR s.valid_to > $since) AND s.known_to IS NULL
),
hit AS (
  SELECT
    s.person_id,
    CASE
      WHEN s.valid_from <= $as_of AND (s.valid_to IS NULL OR s.valid_to > $since)
        AND s.known_from <= $known AND (s.known_to IS NULL OR s.known_to > $known) THEN CAST(1 AS DOUBLE)
    END AS before,
    CASE WHEN s.valid_from > $as_of AND s.valid_from <= $until AND s.known_to IS NULL THEN CAST(1 AS DOUBLE) END AS after,
    CASE WHEN r.within IS NOT NULL AND w.person_id IS NULL THEN 1 ELSE 0 END AS unclear,
    r.rule,
    r.of,
    r.at_least
  FROM spell AS s
  JOIN outcome_rule AS r ON r.of = 'start' AND r.kind = s.kind AND (r.code IS NULL OR r.code = s.status)
  LEFT JOIN settled AS w ON w.person_id = s.person_id AND w.within = r.within
  UNION ALL
  SELECT
    person_id,
    CASE
      WHEN happened_on > $since AND happened_on <= $as_of
        AND known_from <= $known AND (known_to IS NULL OR known_to > $known) THEN COALESCE(value, 1)
    END AS before,
    CASE WHEN happened_on > $as_of AND happened_on <= $until AND known_to IS NULL THEN COALESCE(value, 1) END AS after,
    0 AS unclear,
    rule,
    of,
    at_least
  FROM counted
),
reached AS (
  SELECT
    person_id,
    rule,
    MAX(unclear) AS unclear,
    CASE WHEN MIN(of) = 'sum' THEN SUM(before) ELSE MAX(before) END >= MIN(at_least) AS before,
    CASE WHEN MIN(of) = 'sum' THEN SUM(after) ELSE MAX(after) END >= MIN(at_least) AS after
  FROM hit
  GROUP BY person_id, rule
)
SELECT
  person_id,
  MAX(CASE WHEN before THEN 1 ELSE 0 END) AS had_before,
  MAX(CASE WHEN after AND unclear = 0 THEN 1 ELSE 0 END) AS began,
  MAX(CASE WHEN after AND unclear = 1 THEN 1 ELSE 0 END) AS unclear
FROM reached
GROUP BY person_id
