"""既に関わりのある家庭: whom an office or a case already reaches, as far as the asking member of staff may read it.

A filter by what may not be read would tell it all the same, so every source counts only for those who may read it.
"""

from collections.abc import Mapping
from typing import Final

from kizuki.app import accounts
from kizuki.app.cases import CaseState
from kizuki.app.release import Actor
from kizuki.govern.policy import grant_of, readable, sight
from kizuki.records.models import CaseStatus
from kizuki.terms.tables import Klass

_AT_WORK: Final = frozenset({CaseStatus.CHECKING.value, CaseStatus.MEETING.value, CaseStatus.SUPPORTING.value})


def readable_sources(actor: Actor) -> frozenset[str]:
    """Sources whose records this actor reads of the children in scope."""
    governance = accounts.governance()
    return sight(governance, grant_of(governance, actor).classes).sources


def sees_judgements(actor: Actor) -> bool:
    """Whether the actor reads what the criteria say of a child."""
    return readable(grant_of(accounts.governance(), actor).classes, Klass.JUDGE)


def known_children(
    actor: Actor, by_source: Mapping[str, frozenset[str]], states: Mapping[str, CaseState], homes: Mapping[str, str]
) -> frozenset[str]:
    """Children an office the actor may know of works with, and households in which any child has a case under way.

    `homes`: child → household.
    """
    sources = readable_sources(actor)
    by_office = [people for source, people in by_source.items() if source in sources]
    at_work = {homes[p] for p, state in states.items() if state.status in _AT_WORK and p in homes}
    by_case = frozenset(p for p, home in homes.items() if home in at_work) if at_work else frozenset()
    return by_case.union(*by_office)
