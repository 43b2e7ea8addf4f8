"""判定: criteria as frozen nodes, compiled to SQL and evaluated in plain Python alike."""
