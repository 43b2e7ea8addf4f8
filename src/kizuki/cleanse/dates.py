"""和暦 and western dates of a delivered column: the project's one parser, with flags."""

import datetime as dt
from typing import NamedTuple

from kizuki.cleanse.flags import Cleaned, Flag
from kizuki.terms.states import ValueState
from kizuki.terms.wareki import Spelling, read_date


class WrittenDate(NamedTuple):
    """One written date: `date` is None exactly when `reason` (Japanese, without the value) is not empty."""

    date: dt.date | None
    state: ValueState
    reason: str
    spelling: Spelling = Spelling.NONE


def clean_date(raw: str, excel_serial: bool = False) -> WrittenDate:
    """Blank, impossible and unreadable dates are 未入力 with the reason; nothing is guessed."""
    reading = read_date(raw, excel_serial)
    state = ValueState.NOT_ENTERED if reading.date is None else ValueState.KNOWN
    return WrittenDate(reading.date, state, reading.reason, reading.spelling)


def normalise_serial_date(raw: str) -> Cleaned[dt.date]:
    """The same for a column in which five digits are a spreadsheet's count of days."""
    date = read_date(raw, excel_serial=True).date
    return Cleaned(date, () if date or not raw.strip() else (Flag.NOT_DATE,))


def normalise_date(raw: str) -> Cleaned[dt.date]:
    """The same for a column: the date and flags."""
    date = read_date(raw).date
    return Cleaned(date, () if date or not raw.strip() else (Flag.NOT_DATE,))
