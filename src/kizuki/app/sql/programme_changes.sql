-- one row per pair of answers, last night's and the draft's ('' = not asked): how many households or children went from one to the other
SELECT
  COALESCE(b.verdict, '') AS before,
  COALESCE(a.verdict, '') AS after,
  CAST(COALESCE(b.unclaimed, FALSE) AS BOOLEAN) AS unclaimed_before,
  CAST(COALESCE(a.unclaimed, FALSE) AS BOOLEAN) AS unclaimed_after,
  COUNT(*) AS answers
FROM eligibility AS b
FULL JOIN drafted AS a
  ON a.household_id = b.household_id AND COALESCE(a.person_id, '') = COALESCE(b.person_id, '')
GROUP BY 1, 2, 3, 4
