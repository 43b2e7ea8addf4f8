-- one row: records with truth; pairs of one found person, of one true person, of both; the B-cubed sums over records.
WITH cell AS (
  SELECT person_id, true_person, CAST(COUNT(*) AS DOUBLE) AS n FROM placed GROUP BY person_id, true_person
), found AS (
  SELECT person_id, SUM(n) AS n FROM cell GROUP BY person_id
), actual AS (
  SELECT true_person, SUM(n) AS n FROM cell GROUP BY true_person
)
SELECT
  (SELECT COUNT(*) FROM placed) AS records,
  (SELECT COALESCE(SUM(n * (n - 1) / 2), 0) FROM found) AS found_pairs,
  (SELECT COALESCE(SUM(n * (n - 1) / 2), 0) FROM actual) AS true_pairs,
  (SELECT COALESCE(SUM(n * (n - 1) / 2), 0) FROM cell) AS right_pairs,
  (SELECT COALESCE(SUM(c.n * c.n / f.n), 0) FROM cell AS c JOIN found AS f ON f.person_id = c.person_id) AS cluster_precision,
  (SELECT COALESCE(SUM(c.n * c.n / a.n), 0) FROM cell AS c JOIN actual AS a ON a.true_person = c.true_person) AS cluster_recall
