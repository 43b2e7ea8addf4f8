"""Consent, notice candidates, outbox and relay (pure)."""
