-- one row per programme and open question: how many answers are 不明 for exactly these reasons (no person is in it)
SELECT programme, unknown, COUNT(*) AS answers
FROM eligibility
WHERE verdict = '不明'
GROUP BY programme, unknown
