"""Screens: each view is one app call and one template; no rule, no query and no personal row is made here."""
