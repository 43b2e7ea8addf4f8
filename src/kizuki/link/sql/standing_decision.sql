-- one row = one pair of records on which a reviewer has decided; the latest word counts, "hold" takes it back.
WITH last_word AS (
  SELECT e.*, ROW_NUMBER() OVER (PARTITION BY e.source, e.record_id, e.other_source, e.other_record_id ORDER BY e.seq DESC) AS back
  FROM event AS e WHERE e.kind = 'decide'
)
SELECT source, record_id, other_source, other_record_id, state AS answer, seq FROM last_word WHERE back = 1 AND state <> 'hold'
