"""Writing the city: sixteen systems' files into the drop folder, the truth beside them, the synthetic mark."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kizuki.synth.city import NAME, City
from kizuki.synth.population import CHILD
from kizuki.synth.sheet import Sheet
from kizuki.synth.truth import Sightings, write_truth
from kizuki.synth.writers import care, money, people_work, register, school

Progress = Callable[[str, int, int], None]
Printer = Callable[[City, Sightings], Iterator[Sheet]]

PRINTERS: dict[str, Printer] = {
    "resident_register": register.register_sheets,
    "school_enrolment": school.enrolment_sheets,
    "school_life": school.life_sheets,
    "municipal_tax": money.tax_sheets,
    "single_parent_allowance": money.allowance_sheets,
    "child_allowance": money.child_allowance_sheets,
    "medical_subsidy": money.medical_sheets,
    "after_school_care": care.after_school_sheets,
    "disability_welfare": care.disability_sheets,
    "public_assistance": money.assistance_sheets,
    "long_term_care": care.long_term_care_sheets,
    "childcare": care.childcare_sheets,
    "maternal_child_health": people_work.health_sheets,
    "family_consultation": people_work.consultation_sheets,
    "childrens_cafeteria": people_work.cafeteria_sheets,
    "community_social_work": people_work.counsel_sheets,
}
"""Source id → the files of that source in the order they would arrive."""

MARK = "synthetic.json"
"""File in the home directory that marks its data as synthetic."""


@dataclass(frozen=True, slots=True)
class CitySummary:
    """What was written: residents today, their households, children of 0-17 among them, files and lines."""

    people: int
    households: int
    children: int
    files: int
    rows: int
    rows_by_source: dict[str, int]
    seconds_by_source: dict[str, float]


def write_city(city: City, home: Path, progress: Progress = lambda source, done, total: None) -> CitySummary:
    """Write every delivery below `<home>/inbox`, the truth below `<home>/truth` and the synthetic mark.

    `progress(source, done, total)` is called as each of the sixteen sources is finished.
    """
    sightings = Sightings(city)
    files, rows, seconds = 0, {}, {}
    for done, (source, printer) in enumerate(PRINTERS.items(), start=1):
        began = time.perf_counter()
        rows[source] = 0
        for sheet in printer(city, sightings):
            rows[source] += sheet.write(home / "inbox")
            files += 1
        seconds[source] = time.perf_counter() - began
        progress(source, done, len(PRINTERS))
    write_truth(city, sightings, home / "truth")
    mark = {"city": NAME, "seed": city.seed, "people": city.people_count, "today": city.today.isoformat()}
    home.joinpath(MARK).write_text(json.dumps(mark, ensure_ascii=False) + "\n", encoding="utf-8")
    return CitySummary(**_counts(city), files=files, rows=sum(rows.values()), rows_by_source=rows, seconds_by_source=seconds)


def _counts(city: City) -> dict[str, int]:
    today = city.window.today
    here = city.people.registered_on(today)
    resident = np.flatnonzero(here)
    households = np.unique(city.register.household[city.register.at(resident, today)])
    children = here & (city.people.role == CHILD) & (city.people.age_on(today) < 18)
    return {"people": int(here.sum()), "households": len(households), "children": int(children.sum())}
