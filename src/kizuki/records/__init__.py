"""Django models: fields and constraints only, no rules."""
