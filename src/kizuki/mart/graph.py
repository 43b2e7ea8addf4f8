"""The mart as steps: which query makes which table from which, in order.

Spells and events are kept as one part per source (`spell.public_assistance`), so that a new delivery of one source touches
only its own parts; together the parts are the table.
"""

import datetime as dt
import hmac
from collections.abc import Callable, Collection, Iterable, Sequence
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc

from kizuki.engine.sql import bind
from kizuki.engine.steps import Inputs, Select, Step
from kizuki.mart.queries import (
    EVENT_SOURCES,
    KINSHIP_SOURCES,
    REGISTER,
    SPELL_SOURCES,
    event_query,
    kinship_query,
    query,
    register_query,
    spell_query,
)
from kizuki.terms.tables import COVERAGE, EVENT, HOUSEHOLD_MEMBER, KINSHIP, PERSON, RESIDENCE, SEAL, SPELL

CONFORMED, PERSON_RECORD, LINK = "conformed.{}", "person_record.{}", "link.{}"
"""Names of the tables the mart starts from, one of each per source: conformed rows, persons as written, links to persons."""


_LARGEST = frozenset({"school_life"})
"""Nine in ten events of a city are months of school life."""

TownReader = Callable[[Sequence[str]], Sequence[str | None]]


def register_selects() -> list[Select]:
    """Person, household, residence and coverage of residents, all from one timeline of the register."""
    register = {"conformed": CONFORMED.format(REGISTER), "link": LINK.format(REGISTER)}
    timeline = {"timeline": "register_timeline"}
    household = {"timeline": "register_timeline", "household": "household"}
    return [
        Select("register_state", register, query("register_state")),
        Select("register_points", {"state": "register_state"}, query("points")),
        Select("register_timeline", {"points": "register_points", "state": "register_state"}, query("register_timeline")),
        Select("person.resident", timeline, register_query("person_resident"), PERSON),
        Select("residence", {**timeline, "address": "address"}, register_query("residence"), RESIDENCE),
        Select("household_member", household, register_query("household_member"), HOUSEHOLD_MEMBER),
    ]


def unregistered_select(sources: Collection[str]) -> Select:
    """Persons known only from sources other than the register."""
    delivered = sorted(set(sources) - {REGISTER})
    inputs: dict[str, str | tuple[str, ...]] = {
        "link": tuple(LINK.format(s) for s in delivered),
        "person_record": tuple(PERSON_RECORD.format(s) for s in delivered),
        "registered": "register_state",
        "delivery": "delivery",
    }
    return Select("person.unregistered", inputs, query("person_unregistered"), PERSON)


def spell_selects(sources: Collection[str]) -> list[Select]:
    """One part of `spell` per source that has been delivered."""
    selects: list[Select] = []
    for source in (s for s in SPELL_SOURCES if s in sources):
        inputs = {"conformed": CONFORMED.format(source), "link": LINK.format(source), "category": "category"}
        if source == "childcare":
            selects += [
                Select("childcare_state", inputs, query("childcare_state")),
                Select("childcare_points", {"state": "childcare_state"}, query("points")),
            ]
            inputs = {"state": "childcare_state", "points": "childcare_points"}
        selects.append(Select(f"spell.{source}", inputs, spell_query(source), SPELL))
    return selects


def event_selects(sources: Collection[str]) -> list[Select]:
    """One part of `event` per source that has been delivered."""
    selects: list[Select] = []
    for source in (s for s in EVENT_SOURCES if s in sources):
        inputs = {"conformed": CONFORMED.format(source), "link": LINK.format(source)}
        if source == REGISTER:
            inputs = {"timeline": "register_timeline"}
        selects.append(Select(f"event.{source}", inputs, event_query(source), EVENT, alone=source in _LARGEST))
    return selects


def dated_selects(as_of: dt.date) -> list[Select]:
    """Tables that describe the as-of date itself."""
    people = {"person": "person.resident", "household_member": "household_member"}
    return [
        Select("seal", people, bind(query("seal"), as_of=as_of), SEAL),
        Select("coverage", {**people, "feed_window": "feed_window"}, bind(query("coverage"), as_of=as_of), COVERAGE),
    ]


def kinship_selects(sources: Collection[str], as_of: dt.date) -> list[Select]:
    """One part of `kinship` per way a relation can be known."""
    people = {"person": "person.resident", "household_member": "household_member"}
    home = {"household_member": "household_member"}
    found = [Select("cohabited", people, bind(query("cohabited"), as_of=as_of))]
    for basis in ("household", "same_parent"):
        asked = kinship_query(basis, REGISTER, as_of)
        found.append(Select(f"kinship.{basis}", {**home, "cohabited": "cohabited"}, asked, KINSHIP))
    for source in (s for s in KINSHIP_SOURCES if s in sources):
        inputs = {**home, "conformed": CONFORMED.format(source), "link": LINK.format(source)}
        if source == "school_enrolment":
            inputs["guardian"] = LINK.format(REGISTER)
        found.append(Select(f"kinship.{source}", inputs, kinship_query(source, source, as_of), KINSHIP))
    return found


def selects(sources: Collection[str], as_of: dt.date) -> list[Select]:
    """Every query of the mart in order, for the sources that have been delivered."""
    return [
        *register_selects(),
        *([unregistered_select(sources)] if set(sources) - {REGISTER} else []),
        *spell_selects(sources),
        *event_selects(sources),
        *dated_selects(as_of),
        *kinship_selects(sources, as_of),
    ]


def household_step(key: bytes) -> Step:
    """household_no → opaque household_id: one row per household number the register ever carried."""

    def compute(inputs: Inputs) -> dict[str, pa.Table]:
        numbers = (
            pc.unique(inputs.of(CONFORMED.format(REGISTER), ["household_no"]).column("household_no"))
            .cast(pa.string())
            .drop_null()
            .sort()
        )
        ids = [hmac.new(key, str(n).encode(), sha256).hexdigest()[:32] for n in numbers.to_pylist()]
        return {"household": pa.table({"household_no": numbers, "household_id": pa.array(ids, pa.string())})}

    return Step("household", (CONFORMED.format(REGISTER),), ("household",), "1", compute)


def address_step(towns_of: TownReader, version: str) -> Step:
    """address → town: one row per distinct address of the register, read by `towns_of` all at once."""

    def compute(inputs: Inputs) -> dict[str, pa.Table]:
        addresses = pc.unique(inputs.of("register_state", ["address"]).column("address")).cast(pa.string()).drop_null().sort()
        towns = towns_of([str(a) for a in addresses.to_pylist()])
        return {"address": pa.table({"address": addresses, "town": pa.array(towns, pa.string())})}

    return Step("address", ("register_state",), ("address",), version, compute)


def mart_steps(sources: Collection[str], as_of: dt.date, household_key: bytes, address: Step) -> list[Step]:
    """Every step of the mart in order; `address` is the step that reads towns out of addresses."""
    steps: list[Step] = [household_step(household_key)]
    for select in selects(sources, as_of):
        # coverage moves whenever any feed comes; apart by source, only what reads that feed is touched
        steps.append(select.step_by("source", sorted(sources)) if select.name == COVERAGE.name else select.step())
        if select.name == "register_state":
            steps.append(address)
    return steps


def parts_of(table: str, names: Iterable[str]) -> list[str]:
    """The step outputs that together are one mart table, in a fixed order."""
    return sorted(n for n in names if n == table or n.startswith(f"{table}."))
