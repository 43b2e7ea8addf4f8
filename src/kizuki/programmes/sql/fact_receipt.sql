-- One member, one programme and what the timeline says of it: receiving, applied (asked for or decided on, yet not paid) or refused.
-- Which spell kinds and statuses say so comes with the programmes (receipt_rule): a rule without a status takes every status that
-- no rule of the programme names. A refusal counts for `days` from its date. `certain` is 0 where a receipt may have ended or been
-- renewed after the source's data.
WITH named AS (
  SELECT programme, kind, status FROM receipt_rule WHERE status IS NOT NULL
)
SELECT s.household_id, s.person_id, r.programme, r.state, MAX(s.certain) AS certain
FROM fact_spell AS s
JOIN receipt_rule AS r ON r.kind = s.kind AND (r.status = s.status OR r.status IS NULL)
LEFT JOIN named AS n ON n.programme = r.programme AND n.kind = s.kind AND n.status = s.status
WHERE (r.status IS NOT NULL OR n.status IS NULL)
  AND r.state <> 'refused'
GROUP BY s.household_id, s.person_id, r.programme, r.state
UNION ALL
SELECT f.household_id, f.person_id, r.programme, 'refused' AS state, 1 AS certain
FROM fact_member AS f
JOIN spell AS s ON s.person_id = f.person_id
JOIN receipt_rule AS r ON r.kind = s.kind AND r.status = s.status AND r.state = 'refused'
WHERE s.valid_from <= $as_of AND DATE_DIFF('DAY', s.valid_from, $as_of) < r.days
  AND s.known_from <= $as_of AND (s.known_to IS NULL OR s.known_to > $as_of)
GROUP BY f.household_id, f.person_id, r.programme
