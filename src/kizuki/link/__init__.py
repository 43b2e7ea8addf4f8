"""名寄せ: candidates → clusters → key master with stable ids."""
