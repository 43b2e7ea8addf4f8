"""データマート: person, household, residence, event, spell, coverage, item; queries in .sql files."""
