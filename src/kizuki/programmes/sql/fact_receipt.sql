-- One member and one programme's receipt in force: which spell kinds and statuses count comes with the programmes (receipt_rule).
SELECT DISTINCT s.household_id, s.person_id, r.programme
FROM fact_spell AS s
JOIN receipt_rule AS r ON r.kind = s.kind AND (r.status IS NULL OR r.status = s.status)
