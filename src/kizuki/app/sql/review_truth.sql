-- One row per pair: whether the synthetic city's truth says that record and resident are one person (never shown by pair).
SELECT k.pair_id, COALESCE(a.true_person = b.true_person, FALSE) AS one_person
FROM pair_key AS k
LEFT JOIN truth AS a ON a.source = k.source AND a.record_id = k.record_id
LEFT JOIN truth AS b ON b.source = k.register AND b.record_id = k.resident_id
