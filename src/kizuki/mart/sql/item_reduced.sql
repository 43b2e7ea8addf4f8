-- One row per child × item that has any record: the records of the window put together as the item's definition says,
-- with the newest record as evidence. `complete` is 0 when a record that should carry a value does not.
WITH numbered AS (
  SELECT
    h.person_id,
    h.item,
    CASE WHEN h.state = 'zero' THEN CAST(0 AS DOUBLE) ELSE h.value END AS value,
    h.code,
    h.state,
    h.why,
    h.source,
    h.delivery_id,
    h.record_id,
    h.observed_on,
    ROW_NUMBER() OVER (
      PARTITION BY h.person_id, h.item
      ORDER BY CASE WHEN h.state IN ('known', 'zero') THEN 0 ELSE 1 END, h.observed_on DESC, h.value DESC, h.record_id, h.delivery_id,
        h.code, h.state, h.why
    ) AS place
  FROM item_hit AS h
)
SELECT
  n.person_id,
  n.item,
  CASE d.reduce
    WHEN 'any' THEN MAX(CASE WHEN n.state NOT IN ('known', 'zero') THEN NULL WHEN n.value >= d.at_least THEN CAST(1 AS DOUBLE) ELSE CAST(0 AS DOUBLE) END)
    WHEN 'every' THEN MIN(CASE WHEN n.state NOT IN ('known', 'zero') THEN NULL WHEN n.value >= d.at_least AND n.value <= d.at_most THEN CAST(1 AS DOUBLE) ELSE CAST(0 AS DOUBLE) END)
    WHEN 'sum' THEN SUM(n.value)
    WHEN 'count' THEN CAST(COUNT(*) AS DOUBLE)
    WHEN 'max' THEN MAX(n.value)
    ELSE MAX(CASE WHEN n.place = 1 THEN n.value END)
  END AS value,
  MAX(CASE WHEN n.place = 1 THEN n.code END) AS code,
  MIN(CASE WHEN n.state IN ('known', 'zero') OR (d.reduce = 'latest' AND n.place > 1) OR d.reduce = 'count' THEN 1 ELSE 0 END) AS complete,
  MAX(CASE WHEN n.state NOT IN ('known', 'zero') THEN n.why END) AS why,
  MAX(CASE WHEN n.place = 1 THEN n.source END) AS source,
  MAX(CASE WHEN n.place = 1 THEN n.delivery_id END) AS delivery_id,
  MAX(CASE WHEN n.place = 1 THEN n.record_id END) AS record_id,
  MAX(n.observed_on) AS observed_on
FROM numbered AS n
JOIN item_rule AS d ON d.item = n.item
GROUP BY n.person_id, n.item, d.reduce
