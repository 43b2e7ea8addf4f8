"""Which person a record of human work is about today: person ids are merged, and parted again, while the work stays as written.

Cases, shares and seals keep the id they were written under. The served snapshot tells who holds the records of an id that was
dissolved; a merge taken back therefore leaves every one of them where it was before.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Final

from sqlglot import exp

from kizuki.app.snapshot_view import current_view
from kizuki.engine.duck import DuckEngine
from kizuki.terms.errors import RunFailed
from kizuki.terms.tables import REDIRECT

_LOCK = threading.Lock()
_LATEST: list[tuple[object, Mapping[str, str]]] = []
_ALL: Final = exp.select(*REDIRECT.column_names()).from_(exp.to_table(REDIRECT.name))


def current_person(person_id: str) -> str:
    """The person who holds this id's records in the served snapshot: mostly the id itself."""
    return redirects().get(person_id, person_id)


def current_people(people: Iterable[str]) -> frozenset[str]:
    """The persons these ids stand for."""
    known = redirects()
    return frozenset(known.get(p, p) for p in people)


def ids_of(person_id: str) -> tuple[str, ...]:
    """Every id under which work on this person may have been written, the present one first."""
    known = redirects()
    now = known.get(person_id, person_id)
    return (now, *sorted(old for old, holder in known.items() if holder == now))


def redirects() -> Mapping[str, str]:
    """Dissolved id → present id in the served snapshot; read at the first request after a publication."""
    try:
        view = current_view()
    except RunFailed:
        return {}  # nothing published yet: no id has been dissolved
    with _LOCK:
        if not _LATEST or _LATEST[0][0] is not view:
            _LATEST[:] = [(view, _read(view.cursor()))]
        return _LATEST[0][1]


def _read(engine: DuckEngine) -> Mapping[str, str]:
    found = engine.query(_ALL).to_pydict()
    return dict(zip(found["person_id"], found["current_person_id"], strict=True))
