-- One row per child × item: what is known, and where nothing is, why. The one place in which a blank gets its meaning (G2).
-- A number whose window is only partly covered keeps its known part in `value` with an unknown state: it is at least that.
WITH judged AS (
  SELECT
    c.person_id,
    d.item,
    d.reduce,
    r.value,
    r.code,
    r.why,
    r.source AS seen_source,
    r.delivery_id,
    r.record_id,
    r.observed_on,
    d.window_to,
    d.source,
    d.guarded_as,
    CASE
      WHEN CASE d.age_basis WHEN 'fy_end' THEN c.age_fy_end ELSE c.age_years END < d.age_low THEN 'outside'
      WHEN CASE d.age_basis WHEN 'fy_end' THEN c.age_fy_end ELSE c.age_years END > d.age_high THEN 'outside'
      WHEN d.feed = 'off' THEN 'feed_off'
      WHEN r.value IS NOT NULL AND r.complete = 1 AND d.reduce IN ('latest', 'every') THEN 'known'
      WHEN d.reduce = 'any' AND r.value = 1 THEN 'known'
      WHEN d.reduce = 'every' AND r.value = 0 THEN 'known'
      WHEN d.feed = 'never' THEN 'feed_never'
      WHEN r.complete = 0 THEN 'blank'
      WHEN g.person_id IS NULL THEN 'unlinked'
      WHEN d.feed = 'late' OR g.covered_until < d.window_to THEN 'feed_late'
      WHEN g.covered_from > d.window_from AND g.covered_from > c.birth_date AND g.covered_from <= c.resident_from THEN 'moved_in'
      WHEN g.covered_from > d.window_from AND g.covered_from > c.birth_date THEN 'feed_start'
      WHEN r.value IS NOT NULL THEN 'known'
      WHEN d.absence = 'zero' THEN 'zero'
      WHEN d.absence = 'not_applicable' THEN 'outside'
      ELSE 'unlinked'
    END AS answer
  FROM item_child AS c
  CROSS JOIN item_rule AS d
  LEFT JOIN item_reduced AS r ON r.person_id = c.person_id AND r.item = d.item
  LEFT JOIN item_cover AS g ON g.person_id = c.person_id AND g.source = d.source
),
-- what is seen of a number that is not wholly known rests on records of its own, and shows them
seen AS (
  SELECT
    *,
    answer NOT IN ('known', 'zero', 'outside', 'feed_off') AND reduce IN ('sum', 'count', 'max') AND value > 0 AS at_least
  FROM judged
)
SELECT
  person_id,
  item,
  CASE WHEN answer = 'zero' THEN CAST(0 AS DOUBLE) WHEN answer = 'known' OR at_least THEN value END AS value,
  CASE WHEN answer = 'known' THEN code END AS code,
  CASE answer
    WHEN 'known' THEN 'known'
    WHEN 'zero' THEN 'zero'
    WHEN 'outside' THEN 'not_applicable'
    WHEN 'blank' THEN CASE WHEN why = 'not_entered' THEN 'not_entered' ELSE 'not_collected' END
    ELSE 'not_collected'
  END AS state,
  CASE
    WHEN answer IN ('known', 'zero', 'outside') THEN CAST(NULL AS VARCHAR)
    WHEN answer = 'blank' THEN why
    ELSE answer
  END AS unknown_reason,
  COALESCE(guarded_as, CASE WHEN answer = 'known' OR at_least THEN COALESCE(seen_source, source) ELSE source END) AS source,
  CASE WHEN answer IN ('known', 'blank') OR at_least THEN delivery_id END AS delivery_id,
  CASE WHEN answer IN ('known', 'blank') OR at_least THEN record_id END AS record_id,
  CASE WHEN answer IN ('known', 'blank') OR at_least THEN COALESCE(observed_on, window_to) ELSE window_to END AS observed_on
FROM seen
