-- One row per item of the child that nobody here knows because it lies before the child moved in.
SELECT i.person_id, i.item, i.unknown_reason, i.source
FROM item AS i
WHERE i.person_id = $person_id AND i.unknown_reason = 'moved_in'
