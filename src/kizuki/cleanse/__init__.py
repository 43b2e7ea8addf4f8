"""Names, kana, 外字, 和暦, addresses, phones → comparable values with flags; deliveries of one source → one table with history.

Nothing is altered silently: every function returns the value together with flags that say what was done to it.
"""
