"""A second, independent maker of past cases for the tests: a CSV of three yearly days, households, blanks, and a known rule."""

import csv
from pathlib import Path

import numpy as np

HEADER = (
    "child",
    "household",
    "as_of",
    "outcome",
    "staff_points",
    "visits",
    "weeks",
    "housing",
    "late",
    "noise",
    "constant",
    "empty",
)


def write_past(
    path: Path, *, children: int = 2500, years: int = 3, seed: int = 1, rate: float = -4.4, future: bool = True
) -> None:
    """`years` closed years and, with `future`, one whose outcome is blank."""
    rng = np.random.default_rng(seed)
    burden = rng.normal(0, 0.4, children // 2 + 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for year in range(years + int(future)):
            for child in range(children):
                out.writerow(_row(child, year, years, burden[child // 2] + rate, rng))


def _row(child: int, year: int, years: int, base: float, rng: np.random.Generator) -> list[object]:
    visits, weeks = int(rng.poisson(0.8)), float(np.round(rng.normal(20, 6), 1))
    housing, late = ("持家", "公営", "民間")[int(rng.choice(3, p=(0.5, 0.2, 0.3)))], int(rng.random() < 0.1)
    signal = 0.7 * visits + 0.06 * max(weeks - 22, 0) + (0.9 if housing == "公営" else 0.0) + 1.3 * late
    event = int(rng.random() < 1 / (1 + np.exp(-(base + signal))))
    noise = round(float(rng.normal()), 3)
    shown: list[object] = [visits, weeks, housing, late, noise]
    shown = ["" if rng.random() < 0.06 else v for v in shown]
    staff = 2 * visits + 3 * late
    return [f"c{child}", f"h{child // 2}", f"{2020 + year}-04-01", event if year < years else "", staff, *shown, 7, ""]
