-- one row = one value of a column × its share among the residents who have one.
SELECT t.value, CAST(COUNT(*) AS DOUBLE) / CAST(MAX(t.known) AS DOUBLE) AS frequency
FROM (SELECT value, COUNT(*) OVER () AS known FROM resident_value WHERE value IS NOT NULL) AS t
GROUP BY t.value
