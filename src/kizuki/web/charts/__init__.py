"""Charts rendered on the server as SVG with presentation attributes only (strict CSP, printable)."""
