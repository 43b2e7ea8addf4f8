"""A set's back-test as a city keeps it, made by the city's own back-test from the second maker of past cases.

The columns of `learning_world` get the names of items a condition can say, so that what is learned becomes lines of a set.
"""

import csv
import datetime as dt
from pathlib import Path
from typing import Any

from kizuki.app.backtest import GROUPS, STAFF, History
from kizuki.app.backtest_results import back_test_of
from kizuki.app.learning_tables import Roles, case_table, read_sheet
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from tests.learning_world import write_past

ITEMS = {"visits": "consultations_1y", "weeks": "absence_days_3m", "late": "single_parent_allowance_full", "noise": "moves_1y"}
ITEMS |= {"constant": "adult_care_certified", "staff_points": STAFF}
LEFT_OUT = ("housing", "empty")
"""What no condition can say, and what nobody ever filled in."""


class Days:
    """Stands for the past days of a snapshot: what is asked of them is answered from the CSV."""

    def __init__(self, path: Path) -> None:
        self.definitions = load_definitions(shipped_definitions())
        self.view = type("View", (), {"id": "a-past", "as_of": dt.date(2026, 11, 20)})
        self.cases = case_table(read_sheet(path), Roles("outcome", "as_of", "household"))

    def criteria(self, name: str) -> Any:
        """The set as shipped."""
        return self.definitions.criteria[name]

    def history(self, name: str) -> History:
        """Every row of the CSV as a child of the set on a day."""
        rows = len(self.cases)
        people = tuple(f"p{n}" for n in range(rows))
        groups = {g: tuple(("一方", "他方")[n % 2] for n in range(rows)) for g in GROUPS}
        listed = self.cases.items[0].values >= 3
        return History(self.criteria(name), self.cases, people, people, listed, groups)


def learned_result(folder: Path, name: str = "poverty") -> dict[str, Any]:
    """What `judge backtest` would keep of a set whose past is the CSV."""
    path = folder / "past.csv"
    write_past(path, children=1200)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{ITEMS.get(c, c): v for c, v in row.items() if c not in LEFT_OUT} for row in csv.DictReader(file)]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(rows)
    return back_test_of(Days(path), name, monthly=10)  # type: ignore[arg-type]
