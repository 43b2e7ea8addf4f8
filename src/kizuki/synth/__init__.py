"""わかば市: the synthetic city with its latent truth."""

from kizuki.synth.city import DEFAULT_PEOPLE, DEFAULT_SEED, DEFAULT_TODAY, City, build_city
from kizuki.synth.write import CitySummary, write_city

__all__ = ["DEFAULT_PEOPLE", "DEFAULT_SEED", "DEFAULT_TODAY", "City", "CitySummary", "build_city", "write_city"]
