"""Domain words as types: states of a value, verdicts, table schemas with every column classified, errors."""
