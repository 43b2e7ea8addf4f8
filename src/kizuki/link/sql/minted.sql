-- minted: one row = one person ever made, with the record it was made for and when in the order of events.
SELECT person_id, source, record_id, MIN(seq) AS first_seq FROM event WHERE kind IN ('create', 'split')
GROUP BY person_id, source, record_id
