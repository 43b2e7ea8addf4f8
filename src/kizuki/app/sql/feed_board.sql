-- One row per source: how fresh its data is.
SELECT f.source, f.last_as_of, f.last_received_at, f.state, f.deliveries, f.rows, f.quarantined
FROM feed AS f
