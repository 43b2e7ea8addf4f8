-- placed: one row = one linked record whose true person is known, with the person it was given.
SELECT l.source, l.record_id, l.person_id, t.true_person
FROM link AS l JOIN truth AS t ON t.source = l.source AND t.record_id = l.record_id
