-- One member and one programme's receipt: which spell kinds and statuses count comes with the programmes (receipt_rule).
-- `certain` is 0 where the receipt may have ended or been renewed after the source's data.
SELECT s.household_id, s.person_id, r.programme, MAX(s.certain) AS certain
FROM fact_spell AS s
JOIN receipt_rule AS r ON r.kind = s.kind AND (r.status IS NULL OR r.status = s.status)
GROUP BY s.household_id, s.person_id, r.programme
