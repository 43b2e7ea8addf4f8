-- resident: one row = one person of the resident register, present or past.
SELECT * FROM record WHERE source = $register
