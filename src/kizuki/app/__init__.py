"""Use cases, the only writers; pipeline.py lists the stages in order."""
