-- One row per person who lives with the child now × kind of relation × what it is known from.
SELECT
  k.person_id, k.related_id, k.kind, k.basis, k.valid_from AS shown_from, k.valid_to AS shown_to, k.source, k.delivery_id
FROM kinship AS k
WHERE k.person_id = $person_id AND k.together
