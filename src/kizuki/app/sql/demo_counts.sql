-- one row: how many children any criteria set names, and how many entitled households or children do not use a programme
select
  (select count(distinct person_id) from judgement where verdict = '該当') as candidates,
  (select count(*) from eligibility where unclaimed) as unclaimed
