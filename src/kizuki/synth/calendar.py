"""Days as integers since 1970-01-01: month ends, fiscal years, school grades."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]

NEVER = 999_999
"""A day that does not come (year 4707); it spells an empty cell."""

YEAR = 365.2425


def day(year: int, month: int, day_of_month: int) -> int:
    """Day number of a date."""
    return date(year, month, day_of_month).toordinal() - date(1970, 1, 1).toordinal()


def as_date(number: int) -> date:
    """The date of a day number."""
    return date.fromordinal(number + date(1970, 1, 1).toordinal())


def stamp(number: int) -> str:
    """YYYYMMDD of a day number, as file names carry it."""
    return as_date(number).strftime("%Y%m%d")


def parts(days: Ints) -> tuple[Ints, Ints, Ints]:
    """Year, month (1-12) and day of month of day numbers."""
    stamps = np.asarray(days).astype("datetime64[D]")
    months = stamps.astype("datetime64[M]").astype(np.int64)
    return 1970 + months // 12, 1 + months % 12, 1 + (stamps - stamps.astype("datetime64[M]")).astype(np.int64)


def month_index(days: Ints) -> Ints:
    """Months since January 1970 of day numbers."""
    return np.asarray(days).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def month_start(months: Ints) -> Ints:
    """First day of months counted since January 1970."""
    return np.asarray(months).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def fiscal_year(days: Ints) -> Ints:
    """Fiscal year (from 1 April) of day numbers."""
    return 1970 + (month_index(days) - 3) // 12


def grade_in(births: Ints, fiscal: int) -> Ints:
    """School grade 1-9 in a fiscal year (0 and below: not yet at school; 10 and above: finished).

    A child born up to 1 April enters school with the year before (学校教育法 17条, 年齢計算ニ関スル法律).
    """
    return fiscal - fiscal_year(np.asarray(births) - 1) - 6


def months_after(number: int, months: int) -> int:
    """The first day of the month so many months after the month of the given day."""
    return int(month_start(month_index(np.array([number])) + months)[0])


@dataclass(frozen=True, slots=True)
class Window:
    """The five years of deliveries up to the city's today (day numbers)."""

    start: int
    today: int

    @staticmethod
    def until(today: date) -> "Window":
        """Sixty months, the last of which is the month of today."""
        last = day(today.year, today.month, today.day)
        return Window(months_after(last, -59), last)

    def month_ends(self) -> list[int]:
        """Last day of every month of the window; today instead of the end of a month that is still running."""
        first = int(month_index(np.array([self.start]))[0])
        last = int(month_index(np.array([self.today]))[0])
        ends = [int(e) - 1 for e in month_start(np.arange(first + 1, last + 2))]
        return [min(e, self.today) for e in ends]

    def yearly(self, month: int, day_of_month: int) -> list[int]:
        """The given date of every year within the window."""
        years = range(as_date(self.start).year, as_date(self.today).year + 1)
        return [d for d in (day(y, month, day_of_month) for y in years) if self.start <= d <= self.today]
