-- One row per child × source: the period in which the source can know this child, as far as known on $known.
SELECT g.person_id, g.source, MIN(g.covered_from) AS covered_from, LEAST(MAX(g.covered_until), $known) AS covered_until
FROM coverage AS g
JOIN item_child AS c ON c.person_id = g.person_id
WHERE g.covered_from <= $as_of
GROUP BY g.person_id, g.source
