-- One member of a household with children: the closed vocabulary of facts, NULL where unknown, and beside each the reason.
-- $tax, $assistance and $allowance tell whether a feed is read ('') or why not (feed_off, feed_never).
WITH household AS (
  SELECT
    f.household_id,
    COUNT(*) AS household_size,
    MAX(f.children) AS children,
    MIN(CASE WHEN f.age_years >= 18 THEN g.covered_from END) AS covered_from
  FROM fact_member AS f
  LEFT JOIN coverage AS g ON g.person_id = f.person_id AND g.source = 'public_assistance'
  GROUP BY f.household_id
), in_force AS (
  SELECT
    household_id,
    MAX(CASE WHEN kind = 'public_assistance' AND certain = 1 THEN 1 ELSE 0 END) AS assistance,
    MAX(CASE WHEN kind = 'public_assistance_ended' THEN 1 ELSE 0 END) AS assistance_ended,
    MAX(CASE WHEN kind = 'single_parent_allowance' AND status IN ('全部', '一部') THEN certain END) AS allowance
  FROM fact_spell
  GROUP BY household_id
), own AS (
  SELECT
    person_id,
    MAX(CASE WHEN kind = 'public_assistance' AND certain = 1 THEN 1 ELSE 0 END) AS assistance,
    MAX(CASE WHEN kind = 'single_parent_allowance' OR (kind = 'medical_subsidy' AND status = 'ひとり親') THEN 1 ELSE 0 END) AS one_parent,
    MAX(CASE WHEN kind IN ('disability') THEN 1 ELSE 0 END) AS disability,
    MAX(CASE WHEN kind = 'tax_year' AND certain = 1 THEN status END) AS tax_class,
    MAX(CASE WHEN kind = 'tax_year' AND certain = 1 THEN amount END) AS income_yen
  FROM fact_spell
  GROUP BY person_id
), brought_up AS (
  SELECT child_id, COUNT(*) AS parents FROM fact_parent GROUP BY child_id
), raising AS (
  SELECT DISTINCT parent_id FROM fact_parent
)
SELECT
  f.household_id,
  f.person_id,
  CASE WHEN f.is_child = 1 THEN '児童' WHEN r.parent_id IS NOT NULL THEN '父母' ELSE 'その他' END AS role,
  CAST(NULL AS VARCHAR) AS role_why,
  CAST(f.age_years AS DOUBLE) AS age_years,
  CAST(NULL AS VARCHAR) AS age_years_why,
  CAST(f.age_fy_end AS DOUBLE) AS age_fy_end,
  CAST(NULL AS VARCHAR) AS age_fy_end_why,
  CASE
    WHEN f.is_child = 0 THEN FALSE
    WHEN o.one_parent = 1 THEN TRUE
    WHEN b.parents = 1 THEN TRUE
    WHEN b.parents = 2 AND f.relation <> '子の子' THEN FALSE
  END AS single_parent,
  'relation_unclear' AS single_parent_why,
  CASE
    WHEN $tax = '' AND o.income_yen IS NOT NULL THEN o.income_yen
    WHEN o.assistance = 1 OR f.age_years < 15 THEN CAST(0 AS DOUBLE)
  END AS income_yen,
  CASE WHEN $tax <> '' THEN $tax WHEN o.tax_class = '転入不明' THEN 'moved_in' ELSE 'not_entered' END AS income_yen_why,
  CASE
    WHEN $tax = '' AND o.tax_class IS NOT NULL THEN o.tax_class
    WHEN o.assistance = 1 THEN '非課税'
  END AS tax_class,
  CASE WHEN $tax <> '' THEN $tax ELSE 'not_entered' END AS tax_class_why,
  CAST(h.children AS DOUBLE) AS dependants,
  CAST(NULL AS VARCHAR) AS dependants_why,
  COALESCE(o.disability, 0) = 1 AS disability,
  CAST(NULL AS VARCHAR) AS disability_why,
  CASE WHEN i.assistance = 1 THEN TRUE WHEN $assistance = '' THEN FALSE END AS public_assistance_now,
  $assistance AS public_assistance_now_why,
  CASE
    WHEN i.assistance_ended = 1 THEN TRUE
    WHEN $assistance = '' AND h.covered_from <= CAST($as_of - INTERVAL 12 MONTH AS DATE) THEN FALSE
  END AS public_assistance_ended_1y,
  CASE WHEN $assistance <> '' THEN $assistance ELSE 'moved_in' END AS public_assistance_ended_1y_why,
  CASE WHEN i.allowance = 1 THEN TRUE WHEN i.allowance IS NULL AND $allowance = '' THEN FALSE END AS receiving_single_parent_allowance,
  CASE WHEN $allowance <> '' THEN $allowance ELSE 'feed_late' END AS receiving_single_parent_allowance_why,
  CAST(h.household_size AS DOUBLE) AS household_size,
  CAST(NULL AS VARCHAR) AS household_size_why,
  CAST(NULL AS VARCHAR) AS housing,
  'not_collected' AS housing_why
FROM fact_member AS f
JOIN household AS h ON h.household_id = f.household_id
LEFT JOIN in_force AS i ON i.household_id = f.household_id
LEFT JOIN own AS o ON o.person_id = f.person_id
LEFT JOIN brought_up AS b ON b.child_id = f.person_id
LEFT JOIN raising AS r ON r.parent_id = f.person_id
