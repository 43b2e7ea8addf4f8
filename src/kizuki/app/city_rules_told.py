"""The city's rules of sending on their way to the relay: told when the definitions differ from what was told last.

A part of the exchange (`app.exchange_parts`). The number rises with every change and is never below the seconds since 1970, so
that a core put back from an older copy still tells a higher one than it ever told before.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from kizuki.app.criteria_board import definitions_now
from kizuki.app.notice_texts import messages_in
from kizuki.push import lines
from kizuki.push.relay_rules import to_line
from kizuki.records.consent_models import RelayTold

_KIND, _KEY, _MARK = lines.Rules.kind, "city", 32
_BLANK_NUMBER: Final = 0


def lines_to_hand(home: Path, now: dt.datetime) -> list[lines.Line]:
    """The rules as they stand in the definitions, if the relay was told others last, or none.

    Raises DefinitionError K810 where there are no such definitions.
    """
    messages = messages_in(definitions_now(home))
    told = RelayTold.objects.filter(kind=_KIND, key=_KEY).first()
    last, _, mark = told.state.partition(":") if told else (str(_BLANK_NUMBER), "", "")
    line = to_line(messages.rules, messages.calendar, max(int(last) + 1, int(now.timestamp())), now)
    return [line] if _mark(line) != mark else []


def handed(given: Iterable[lines.Line], seq: int, now: dt.datetime) -> None:
    """The relay was told in file `seq`; call it in the transaction that records the file. Lines of others pass."""
    for line in given:
        if isinstance(line, lines.Rules):
            state = f"{line.number}:{_mark(line)}"
            RelayTold.objects.update_or_create(kind=_KIND, key=_KEY, defaults={"state": state, "seq": seq, "at": now})


def as_told(number: int) -> Iterator[tuple[str, str, str]]:
    """Kind, key and state where only the number the relay goes by is known: the rules are told again, under a higher one."""
    if number:
        yield _KIND, _KEY, f"{number}:"


def _mark(line: lines.Rules) -> str:
    """What two lines of the same rules share, whenever and under whichever number they were told."""
    same = replace(line, number=_BLANK_NUMBER, since="")
    return sha256(lines.to_json(same).encode()).hexdigest()[:_MARK]
