"""Canaries: unique strings in personal fields, so that a scan can prove that nothing personal lies on the disk in the clear."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import NEVER, Window
from kizuki.synth.draws import Streams
from kizuki.synth.life_events import Register
from kizuki.synth.names import NameBook
from kizuki.synth.population import CHILD, FAMILY, LEFT_PARENT, People, Units

Array = npt.NDArray[Any]

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
WANTED = 48

MET_BEFORE_TODAY = 35
"""Days before today on which the marked people are met, so that every marker is in a delivered file."""


@dataclass
class Canaries:
    """Markers by field. `rows` become canaries.csv: (person, field, marker)."""

    phone: dict[int, str] = field(default_factory=dict)
    note: dict[int, str] = field(default_factory=dict)
    rows: list[tuple[int, str, str]] = field(default_factory=list)


def plant_canaries(
    units: Units, people: People, register: Register, *, streams: Streams, window: Window, book: NameBook
) -> Canaries:
    """Markers for every sealed person and at least forty more residents: surname, 方書, phone, note.

    Changes the addresses' 方書 and the family names of the chosen households in place.
    """
    rng = streams.of("canaries")
    out = Canaries()
    sealed = np.unique(register.person[register.restraint == 1])
    chosen_units = np.unique(people.unit[sealed])
    usual = (
        (units.kind == FAMILY) & (units.exit == NEVER) & (units.split_on == NEVER) & (units.joined_on == NEVER) & ~units.foreign
    )
    with_child = np.unique(people.unit[(people.role == CHILD) & (people.birth > window.today - 16 * 365)])
    pool = np.setdiff1d(np.intersect1d(np.flatnonzero(usual), with_child), chosen_units)
    pool = np.setdiff1d(pool, np.unique(people.unit[people.unregistered]))  # every marker is to be in a register file
    more = rng.choice(pool, size=min(len(pool), WANTED // 3 + 4), replace=False)
    token = _tokens(rng)
    for unit in [*chosen_units.tolist(), *more.tolist()]:
        _mark_household(out, unit, people, register, marker=next(token), day=window.today - MET_BEFORE_TODAY)
    for k, unit in enumerate(more[: len(book.marked_family)].tolist()):
        _rename(out, unit, book.marked_family[k], people=people, register=register, book=book)
    return out


def _tokens(rng: np.random.Generator) -> Any:
    seen: set[str] = set()
    while True:
        a, b = rng.integers(0, len(_LETTERS), 2)
        token = f"{_LETTERS[a]}{rng.integers(2, 10)}{_LETTERS[b]}{rng.integers(2, 10)}"
        if token not in seen:
            seen.add(token)
            yield token


def _mark_household(out: Canaries, unit: int, people: People, register: Register, *, marker: str, day: int) -> None:
    members = np.flatnonzero((people.unit == unit) & (people.role != LEFT_PARENT))
    met = people.resident_on(day)[members]
    rows = np.flatnonzero(np.isin(register.person, members))
    for address in np.unique(register.address[rows]):
        register.addresses.extra[int(address)] = f"マーカー荘{marker}-101"
    for k, person in enumerate(members.tolist()):
        out.rows.append((person, "address_extra", f"マーカー荘{marker}-101"))
        if not met[k]:
            continue
        if people.role[person] != CHILD and not out.phone.keys() & set(members.tolist()):
            digits = "".join(str(ord(c) % 10) for c in marker)
            out.phone[person] = f"090-0{digits[:3]}-{unit % 10000:04}"
            out.rows.append((person, "phone", out.phone[person]))
        if people.role[person] == CHILD:
            out.note[person] = f"印{marker}のかばんを忘れていた。"
            out.rows.append((person, "note", f"印{marker}"))


def _rename(out: Canaries, unit: int, family: int, *, people: People, register: Register, book: NameBook) -> None:
    members = np.flatnonzero(people.unit == unit)
    people.family[members] = family
    rows = np.isin(register.person, members)
    register.family[rows] = family
    for person in members.tolist():
        out.rows.append((person, "name", book.family.words[family]))
