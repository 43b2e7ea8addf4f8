-- one row per programme and answer: how many households or children got it, and how many of them are entitled and unused
SELECT programme, verdict, COUNT(*) AS answers, CAST(SUM(CASE WHEN unclaimed THEN 1 ELSE 0 END) AS BIGINT) AS unclaimed
FROM eligibility
GROUP BY programme, verdict
