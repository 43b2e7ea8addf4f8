-- One row per source: until when its data reaches, as known on $as_of.
SELECT source, LEAST(MAX(covered_until), $as_of) AS covered_until
FROM coverage
WHERE covered_from <= $as_of
GROUP BY source
