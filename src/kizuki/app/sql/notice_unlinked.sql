-- One person about whom it waits for a reviewer whether a record is theirs.
SELECT person_id FROM review_case WHERE state = 'waiting'
UNION
SELECT other_person_id AS person_id FROM review_case WHERE state = 'waiting'
