-- What is in force today for the listed children: school, nursery, and who already knows the family.
SELECT s.person_id, s.kind, s.status, s.facility, s.detail, s.amount, s.source
FROM spell AS s
WHERE s.person_id IN $people AND s.known_to IS NULL
  AND s.valid_from <= $as_of AND (s.valid_to IS NULL OR s.valid_to > $as_of)
  AND s.kind IN (
    'enrolment', 'childcare', 'after_school_care', 'council_registration', 'public_assistance',
    'single_parent_allowance', 'child_day_service', 'non_enrolled', 'whereabouts_unknown'
  )
