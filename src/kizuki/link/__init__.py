"""Records of many offices → one person: keys, weighted comparison, readable rules, and a key master with stable ids."""
