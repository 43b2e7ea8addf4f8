"""Which criteria sets are stopped at this moment (緊急停止): asked by the door and by the list at every response.

What a stop covered when it was made stays covered; a combination (組合せ) written since from a stopped set is covered, too,
because the combinations are read from the files at every response.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from django.conf import settings

from kizuki.app.criteria_board import definitions_now
from kizuki.definitions.criteria import CriteriaSet
from kizuki.records.models import CriteriaStop
from kizuki.terms.errors import DefinitionError


def stopped_sets() -> frozenset[str]:
    """Ids of the sets of which nothing may be shown now: those stopped, and the combinations made from them."""
    standing = CriteriaStop.objects.filter(lifted_at__isnull=True).values_list("covers", flat=True)
    covered = frozenset(name for found in standing for name in found)
    if not covered:
        return covered
    try:
        return frozenset(made_from(covered, definitions_now(Path(settings.KIZUKI_HOME)).criteria))
    except DefinitionError:  # a file somebody is mending must not open what is stopped, nor close every page
        return covered


def made_from(stopped: Collection[str], sets: Mapping[str, CriteriaSet]) -> list[str]:
    """Sets and every combination that any version of reads them, also through another combination."""
    covered = set(stopped)
    while True:
        more = {c.id for c in sets.values() if any(covered.intersection(v.combines) for v in c.versions)} - covered
        if not more:
            return sorted(covered)
        covered |= more
