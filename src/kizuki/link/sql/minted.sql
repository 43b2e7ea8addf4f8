-- minted: one row = one person ever made, with the record it was first made for and when in the order of events.
WITH made AS (
  SELECT person_id, source, record_id, seq, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY seq) AS place
  FROM event WHERE kind IN ('create', 'split')
)
SELECT person_id, source, record_id, seq AS first_seq FROM made WHERE place = 1
