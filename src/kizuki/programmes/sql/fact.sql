-- One member of a household with children or a pregnancy: the closed vocabulary of facts, NULL where unknown, and beside each the
-- reason. $tax, $assistance, $allowance, $disabled, $maternal, $childcare and $after_school tell whether a feed is read ('') or why
-- not (feed_off, feed_never). A handbook is a sign, not a recognition: degrees a doctor's certificate decides stay unknown with one.
WITH household AS (
  SELECT
    f.household_id,
    COUNT(*) AS household_size,
    MAX(f.children) AS children,
    MAX(CASE WHEN f.relation LIKE '%未届%' THEN 1 ELSE 0 END) AS common_law,
    MAX(CASE WHEN f.relation IN ('同居人', '縁故者') AND f.age_years >= 18 THEN 1 ELSE 0 END) AS lodger,
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
    MAX(CASE WHEN kind = 'disability' THEN 1 ELSE 0 END) AS disability,
    MAX(
      CASE
        WHEN kind = 'disability' AND (detail IS NULL OR detail LIKE '1%' OR (status <> '精神' AND detail LIKE '2%') OR detail LIKE 'A%')
        THEN 1 ELSE 0
      END
    ) AS severe,
    MAX(CASE WHEN kind = 'child_allowance_recipient' THEN 1 ELSE 0 END) AS paid_by_city,
    MAX(CASE WHEN kind = 'pregnancy' THEN 1 ELSE 0 END) AS pregnant,
    MAX(CASE WHEN kind = 'childcare' AND certain = 1 THEN status END) AS certification,
    MAX(CASE WHEN kind = 'after_school_care' THEN certain END) AS after_school,
    MAX(CASE WHEN kind = 'tax_year' AND certain = 1 THEN status END) AS tax_class,
    MAX(CASE WHEN kind = 'tax_year' AND certain = 1 THEN amount END) AS income_yen
  FROM fact_spell
  GROUP BY person_id
), brought_up AS (
  SELECT child_id, COUNT(*) AS parents FROM fact_parent GROUP BY child_id
), raising AS (
  SELECT DISTINCT parent_id FROM fact_parent
), placed AS (
  SELECT
    f.household_id,
    f.person_id,
    f.relation,
    f.age_years,
    f.age_fy_end,
    f.age_month_start,
    f.is_child,
    CASE WHEN f.is_child = 1 THEN '児童' WHEN r.parent_id IS NOT NULL THEN '父母' ELSE 'その他' END AS role,
    CASE
      WHEN $tax = '' AND o.income_yen IS NOT NULL THEN o.income_yen
      WHEN o.assistance = 1 OR f.age_years < 15 THEN CAST(0 AS DOUBLE)
    END AS income_yen,
    CASE WHEN $tax = '' THEN o.tax_class END AS told_class,
    o.assistance, o.one_parent, o.disability, o.severe, o.paid_by_city, o.pregnant, o.certification, o.after_school
  FROM fact_member AS f
  LEFT JOIN own AS o ON o.person_id = f.person_id
  LEFT JOIN raising AS r ON r.parent_id = f.person_id
), parent AS (
  SELECT
    person_id,
    household_id,
    income_yen,
    COUNT(*) OVER (PARTITION BY household_id) AS parents,
    COUNT(income_yen) OVER (PARTITION BY household_id) AS incomes,
    MAX(income_yen) OVER (PARTITION BY household_id) AS most
  FROM placed
  WHERE role = '父母'
), earner AS (
  SELECT
    person_id,
    CASE
      WHEN parents = 1 THEN TRUE
      WHEN incomes = parents AND SUM(CASE WHEN income_yen = most THEN 1 ELSE 0 END) OVER (PARTITION BY household_id) = 1
        THEN income_yen = most
    END AS main_earner
  FROM parent
)
SELECT
  p.household_id,
  p.person_id,
  p.role,
  CAST(NULL AS VARCHAR) AS role_why,
  CAST(p.age_years AS DOUBLE) AS age_years,
  CAST(NULL AS VARCHAR) AS age_years_why,
  CAST(p.age_fy_end AS DOUBLE) AS age_fy_end,
  CAST(NULL AS VARCHAR) AS age_fy_end_why,
  CAST(p.age_month_start AS DOUBLE) AS age_month_start,
  CAST(NULL AS VARCHAR) AS age_month_start_why,
  CASE
    WHEN p.is_child = 0 THEN FALSE
    WHEN p.one_parent = 1 THEN TRUE
    WHEN h.common_law = 1 THEN FALSE
    WHEN b.parents = 1 AND h.lodger = 0 THEN TRUE
    WHEN b.parents = 2 AND p.relation <> '子の子' THEN FALSE
  END AS single_parent,
  'relation_unclear' AS single_parent_why,
  p.income_yen,
  CASE
    WHEN $tax <> '' THEN $tax
    WHEN p.told_class = '転入不明' THEN 'moved_in'
    WHEN p.told_class = '未申告' THEN 'undeclared'
    ELSE 'not_entered'
  END AS income_yen_why,
  CASE WHEN p.told_class IN ('課税', '非課税') THEN p.told_class WHEN p.assistance = 1 THEN '非課税' END AS tax_class,
  CASE
    WHEN $tax <> '' THEN $tax
    WHEN p.told_class = '転入不明' THEN 'moved_in'
    WHEN p.told_class = '未申告' THEN 'undeclared'
    ELSE 'not_entered'
  END AS tax_class_why,
  CAST(h.children AS DOUBLE) AS dependants,
  CAST(NULL AS VARCHAR) AS dependants_why,
  CASE WHEN p.role = '父母' THEN e.main_earner ELSE FALSE END AS main_earner,
  CASE WHEN $tax <> '' THEN $tax ELSE 'not_entered' END AS main_earner_why,
  CASE WHEN p.paid_by_city = 1 THEN FALSE END AS public_servant,
  'not_collected' AS public_servant_why,
  CASE WHEN p.disability = 1 THEN TRUE WHEN $disabled = '' THEN FALSE END AS disability,
  $disabled AS disability_why,
  CASE WHEN $disabled = '' AND COALESCE(p.disability, 0) = 0 THEN '非該当' END AS special_allowance_grade,
  CASE WHEN $disabled <> '' THEN $disabled ELSE 'needs_certificate' END AS special_allowance_grade_why,
  CASE WHEN $disabled = '' AND COALESCE(p.severe, 0) = 0 THEN FALSE END AS severe_disability,
  CASE WHEN $disabled <> '' THEN $disabled ELSE 'needs_certificate' END AS severe_disability_why,
  CAST(NULL AS BOOLEAN) AS supported_as_child,
  'not_collected' AS supported_as_child_why,
  CASE WHEN p.pregnant = 1 THEN TRUE WHEN $maternal = '' THEN FALSE END AS pregnant,
  $maternal AS pregnant_why,
  CASE WHEN p.certification IS NOT NULL THEN p.certification WHEN $childcare = '' OR p.age_fy_end > 6 THEN 'なし' END
    AS childcare_certification,
  $childcare AS childcare_certification_why,
  CASE WHEN p.after_school = 1 THEN TRUE WHEN p.after_school IS NULL AND $after_school = '' THEN FALSE END AS in_after_school_care,
  CASE WHEN $after_school <> '' THEN $after_school ELSE 'feed_late' END AS in_after_school_care_why,
  CASE WHEN p.age_fy_end < 16 THEN '在学していない' END AS high_school,
  'not_collected' AS high_school_why,
  CAST(NULL AS DOUBLE) AS tuition_support_base_yen,
  'not_collected' AS tuition_support_base_yen_why,
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
  'not_collected' AS housing_why,
  CAST(NULL AS DOUBLE) AS expected_children,
  'not_collected' AS expected_children_why
FROM placed AS p
JOIN household AS h ON h.household_id = p.household_id
LEFT JOIN in_force AS i ON i.household_id = p.household_id
LEFT JOIN brought_up AS b ON b.child_id = p.person_id
LEFT JOIN earner AS e ON e.person_id = p.person_id
