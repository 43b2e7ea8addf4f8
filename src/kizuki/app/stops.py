"""Which criteria sets are stopped at this moment (緊急停止): asked by the door and by the list at every response."""

from kizuki.records.models import CriteriaStop


def stopped_sets() -> frozenset[str]:
    """Ids of the sets of which nothing may be shown now: those stopped, and the combinations made from them."""
    covers = CriteriaStop.objects.filter(lifted_at__isnull=True).values_list("covers", flat=True)
    return frozenset(name for found in covers for name in found)
