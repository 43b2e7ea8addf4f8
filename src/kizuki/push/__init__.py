"""Notices to residents: who may be told what, when, and what became of it (pure; storage in `records`, use cases in `app`)."""
