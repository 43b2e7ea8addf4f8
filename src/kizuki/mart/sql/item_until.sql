-- One row per source: until when its data reaches, as known on $known.
SELECT source, LEAST(MAX(covered_until), $known) AS covered_until
FROM coverage
WHERE covered_from <= $as_of
GROUP BY source
