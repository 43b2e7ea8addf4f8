-- One child and one member of its household who, by 続柄, brings it up as father or mother (a step-parent married in counts).
SELECT c.household_id, c.person_id AS child_id, m.person_id AS parent_id
FROM fact_member AS c
JOIN fact_member AS m
  ON m.household_id = c.household_id AND m.person_id <> c.person_id AND m.is_child = 0
  AND (
    (c.relation = '子' AND m.relation IN ('世帯主', '妻', '夫'))
    OR (c.relation IN ('妻の子', '夫の子') AND m.relation IN ('世帯主', '妻', '夫'))
    OR (c.relation = '子の子' AND m.relation IN ('子', '子の妻', '子の夫') AND m.age_years >= c.age_years + 13)
    OR (c.relation = '世帯主' AND m.relation IN ('父', '母'))
  )
WHERE c.is_child = 1
