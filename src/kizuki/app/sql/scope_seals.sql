-- One row per person under 支援措置 in the snapshot, own mark or household.
SELECT DISTINCT person_id
FROM seal
