-- review_writing: one row per person as written on one side of a pair asked about (whole person records, each once).
with asked as (
  select source, record_id from asked_pair
  union
  select $register, resident_id from asked_pair
)
select r.* from person_record as r join asked as a on a.source = r.source and a.record_id = r.record_id
