-- What the list is ordered and searched by: one row per judged child × criteria set (an index inside the app, never shown).
SELECT
  j.person_id, j.criteria, j.verdict, j.rank, m.household_id, p.name, p.kana, p.birth_date
FROM judgement AS j
JOIN person AS p ON p.person_id = j.person_id AND p.known_to IS NULL AND p.valid_to IS NULL
LEFT JOIN household_member AS m ON m.person_id = j.person_id AND m.known_to IS NULL AND m.valid_to IS NULL
