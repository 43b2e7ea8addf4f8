-- One row per source: from when and until when its data reaches.
SELECT source, MIN(covered_from) AS covered_from, MAX(covered_until) AS covered_until
FROM coverage
GROUP BY source
