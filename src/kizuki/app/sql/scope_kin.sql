-- One row per person related to a named child who does not live with them now.
SELECT DISTINCT related_id
FROM kinship
WHERE person_id IN $people AND NOT together
