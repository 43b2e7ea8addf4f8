-- One row per source record: the person it was linked to.
SELECT source, record_id, person_id FROM link
