"""わかば市: the synthetic city with its latent truth."""
