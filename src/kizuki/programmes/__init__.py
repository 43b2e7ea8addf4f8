"""制度: eligibility in three values, dated parameters, unclaimed support."""
