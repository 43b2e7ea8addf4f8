"""Case states and decisions (pure)."""
