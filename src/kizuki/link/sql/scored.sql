-- scored: one row = one pair the weighted comparison looked at: weight (log2 odds) and the state of each attribute (-1 = unknown).
SELECT unique_id_r AS record_uid, unique_id_l AS resident_id, ROUND(match_weight, 10) AS weight,
  CAST(gamma_family AS INT) AS family, CAST(gamma_given AS INT) AS given, CAST(gamma_birth AS INT) AS birth,
  CAST(gamma_sex AS INT) AS sex, CAST(gamma_address AS INT) AS address, CAST(gamma_phone AS INT) AS phone
FROM predicted
