"""Steps on DuckDB or Spark, encrypted storage, snapshots, ledgers and keys; knows no domain rule."""
