-- open_record: one row = one record outside the register that no number and no reviewer has placed. A record with a valid number
-- the register does not know is somebody else for certain, and stays out.
SELECT o.*
FROM record AS o
LEFT JOIN matched AS m ON m.source = o.source AND m.record_id = o.record_id
WHERE o.source <> $register AND m.source IS NULL AND NOT o.number_valid
