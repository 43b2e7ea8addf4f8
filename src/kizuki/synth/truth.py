"""The truth folder: who is who, who is in difficulty, who is entitled, where the canaries sit. No stage may read it."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kizuki.synth.benefits import entitled_medical, entitled_single_parent_allowance
from kizuki.synth.calendar import NEVER, as_date, fiscal_year
from kizuki.synth.cells import Cells, Words, blank_where, date_cells, digits, glue, text_cells
from kizuki.synth.city import City
from kizuki.synth.foreseeable import standings
from kizuki.synth.hardship import DIFFICULTIES
from kizuki.synth.population import CHILD, LEFT_PARENT, Array
from kizuki.synth.sheet import csv_bytes


class Sightings:
    """Which person each source's own key stands for, gathered while the files are written."""

    def __init__(self, city: City) -> None:
        self._numbers = digits(city.person_no, 10)
        self._persons: dict[str, Array] = {}
        self._keyed: dict[str, list[tuple[Array, Cells]]] = {}
        self._size = len(city.people)
        self._identity = city.people.identity()

    def by_number(self, source: str, *persons: Array) -> None:
        """People a source names by 宛名番号."""
        seen = self._persons.setdefault(source, np.zeros(self._size, bool))
        for group in persons:
            seen[group[group >= 0]] = True

    def by_key(self, source: str, persons: Array, keys: Cells) -> None:
        """People a source names by its own key; negative persons are strangers (−2 the first, −3 the second …)."""
        self._keyed.setdefault(source, []).append((persons, keys))

    def table(self) -> list[Cells]:
        """Columns of people.csv."""
        columns: list[list[Cells]] = [[], [], []]
        for source in sorted({*self._persons, *self._keyed}):
            for persons, keys in self._of(source):
                columns[0].append(true_person(np.where(persons < 0, persons, self._identity[np.maximum(persons, 0)])))
                columns[1].append(Words([source]).cells(np.zeros(len(persons), np.int32), "utf-8"))
                columns[2].append(keys)
        return [pa.concat_arrays(c) for c in columns]

    def _of(self, source: str) -> list[tuple[Array, Cells]]:
        out: list[tuple[Array, Cells]] = []
        if source in self._persons:
            persons = np.flatnonzero(self._persons[source])
            out.append((persons, self._numbers.take(pa.array(persons))))
        if source in self._keyed:
            persons = np.concatenate([p for p, _ in self._keyed[source]])
            keys = pa.concat_arrays([k for _, k in self._keyed[source]])
            codes = pc.dictionary_encode(keys).indices.to_numpy()
            first = np.sort(np.unique(codes, return_index=True)[1])
            out.append((persons[first], keys.take(pa.array(first))))
        return out


def true_person(persons: Array) -> Cells:
    """T followed by seven digits; X for people who never lived in the city."""
    letter = Words(["T", "X"]).cells((persons < 0).astype(np.int32), "utf-8")
    return glue(letter, digits(np.where(persons < 0, -persons, persons), 7))


def difficulty_columns(city: City) -> list[Cells]:
    """One row per child of 0-17 registered in the city today x difficulty.

    `since` is blank for a child not in difficulty within a year from today; a day after today is an onset yet to come.
    `probability` is the true chance of onset within a year, whether or not the child is in difficulty already.
    """
    blocks = standings(city)
    since = np.concatenate([b.since for b in blocks.values()])
    names = np.concatenate([np.full(len(blocks[d].child), k) for k, d in enumerate(DIFFICULTIES)])
    chance = np.round(np.concatenate([b.chance for b in blocks.values()]) * 1e6).astype(np.int64)
    return [
        true_person(np.concatenate([b.child for b in blocks.values()])),
        Words(DIFFICULTIES).cells(names, "utf-8"),
        blank_where(since >= NEVER, date_cells(since, "iso", "utf-8")),
        glue(
            text_cells(["0."], "utf-8").take(pa.array(np.zeros(len(since), np.int32))), digits(np.minimum(chance, 999_999), 6)
        ),
    ]


PROGRAMMES = ("single_parent_allowance", "school_aid", "medical_single_parent")


def entitlement_columns(city: City) -> list[Cells]:
    """One row per household with children of 0-17 today x programme: entitled and receiving, yes or no."""
    units, people, benefits, today = city.units, city.people, city.benefits, city.window.today
    household = current_households(city)
    unit = np.flatnonzero(household >= 0)
    column = city.taxes.column(int(fiscal_year(np.array([today]))[0]))
    allowance = entitled_single_parent_allowance(benefits, unit, today)
    medical = entitled_medical(benefits, city.assistance, unit, today)
    answers = (
        (allowance, allowance & benefits.receives_on(unit, today)),
        (benefits.school_aid_entitled[unit, column], benefits.school_aid_received[unit, column]),
        (medical, medical & benefits.medical_claimed[unit] & benefits.receives_on(unit, today)),
    )
    yes_no = Words(["no", "yes"])
    numbers = digits(city.household_no[household[unit]], 10)
    del units, people
    return [
        pa.concat_arrays([numbers] * len(answers)),
        Words(PROGRAMMES).cells(np.repeat(np.arange(len(answers)), len(unit)), "utf-8"),
        yes_no.cells(np.concatenate([a[0] for a in answers]).astype(np.int32), "utf-8"),
        yes_no.cells(np.concatenate([a[1] for a in answers]).astype(np.int32), "utf-8"),
    ]


def current_households(city: City) -> Array:
    """Per unit: the register's household in which its children of 0-17 live today, −1 without such children."""
    people, today = city.people, city.window.today
    minor = people.resident_on(today) & (people.role == CHILD) & (people.age_on(today) < 18)
    child = np.flatnonzero(minor & (people.role != LEFT_PARENT))
    out = np.full(len(city.units), -1)
    out[people.unit[child]] = city.register.household[city.register.at(child, today)]
    return out


def write_truth(city: City, sightings: Sightings, folder: Path) -> dict[str, int]:
    """Write the four files; returns their numbers of rows."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = city.canaries.rows
    person = np.array([r[0] for r in rows], np.int64)
    canaries: list[Any] = [
        true_person(person),
        text_cells([r[1] for r in rows], "utf-8"),
        text_cells([r[2] for r in rows], "utf-8"),
    ]
    tables = {
        "people": (("true_person", "source", "record_id"), sightings.table()),
        "difficulty": (("true_person", "difficulty", "since", "probability"), difficulty_columns(city)),
        "entitlement": (("household", "programme", "entitled", "receiving"), entitlement_columns(city)),
        "canaries": (("true_person", "field", "marker"), canaries),
    }
    for name, (titles, columns) in tables.items():
        folder.joinpath(f"{name}.csv").write_bytes(csv_bytes(titles, columns, "utf-8", "\n"))
    return {name: len(columns[0]) for name, (_, columns) in tables.items()}


def since_text(number: int) -> str:
    """ISO date of a day number, blank for `NEVER`."""
    return "" if number >= NEVER else as_date(number).isoformat()
