"""Screens: form → one app call → template."""
