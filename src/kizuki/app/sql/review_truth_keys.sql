-- One row per pair: the keys of its record and its resident, to be looked up in the synthetic city's truth (never shown).
SELECT DISTINCT c.pair_id, c.source, c.record_id, s.source AS register, c.resident_id
FROM review_case AS c
JOIN review_side AS s ON s.pair_id = c.pair_id AND s.side = 'resident'
