"""Commands: one typer command → one app call."""
