-- One row per person to be written to: name and the address they live at now, as the register has them.
SELECT p.person_id, p.name, p.resident_status, r.postcode, r.address, r.address_extra
FROM person AS p
JOIN residence AS r ON r.person_id = p.person_id AND r.known_to IS NULL AND r.valid_to IS NULL
WHERE p.person_id IN $people AND p.known_to IS NULL AND p.valid_to IS NULL
