-- One row per child × item of change: the later item minus the earlier one, unknown as soon as one of them is.
SELECT
  a.person_id,
  d.item,
  CASE WHEN a.state IN ('known', 'zero') AND b.state IN ('known', 'zero') THEN a.value - b.value END AS value,
  CAST(NULL AS VARCHAR) AS code,
  CASE
    WHEN a.state = 'not_applicable' OR b.state = 'not_applicable' THEN 'not_applicable'
    WHEN a.state NOT IN ('known', 'zero') THEN a.state
    WHEN b.state NOT IN ('known', 'zero') THEN b.state
    ELSE 'known'
  END AS state,
  CASE
    WHEN a.state = 'not_applicable' OR b.state = 'not_applicable' THEN CAST(NULL AS VARCHAR)
    ELSE COALESCE(a.unknown_reason, b.unknown_reason)
  END AS unknown_reason,
  a.source,
  a.delivery_id,
  a.record_id,
  a.observed_on
FROM item_state AS a
JOIN item_difference AS d ON d.now_item = a.item
JOIN item_state AS b ON b.person_id = a.person_id AND b.item = d.before_item
UNION ALL
SELECT person_id, item, value, code, state, unknown_reason, source, delivery_id, record_id, observed_on
FROM item_state
