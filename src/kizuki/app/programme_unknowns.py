"""What keeps an answer about a programme open: each missing fact once, with why it is missing and what to ask."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kizuki.app.explanation import UNKNOWN_REASONS
from kizuki.definitions.programmes.facts import BY_ID

_OTHERS: Final = {"receiving": "受給が続いているか", "expired": "額・限度額の表の今年度の値", "office": "所管課の判断"}
_WHY: Final[Mapping[str, str]] = {
    **UNKNOWN_REASONS,
    "undeclared": "申告がありません",
    "relation_unclear": "続柄だけでは分かりません",
    "expired": "",
    "office": "",
}


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing nobody here knows: `fact` = its id in the vocabulary, or `receiving`, `expired`, `office`, or empty."""

    fact: str
    title: str
    why: str
    asks: tuple[str, ...]

    @property
    def answerable(self) -> bool:
        """Whether the household could answer it (a table without figures or the office's own decision it cannot)."""
        return self.fact not in ("expired", "office")

    @property
    def text(self) -> str:
        """Title and why in one line."""
        return f"{self.title}（{self.why}）" if self.why else self.title


def missing(encoded: str | None) -> tuple[Missing, ...]:
    """The facts of one `unknown` column, each once, in the order of the conditions."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in json.loads(encoded or "[]"):
        found.setdefault(_fact(entry), []).append(entry)
    return tuple(_missing(fact, entries) for fact, entries in found.items())


def settled_by(found: tuple[Missing, ...]) -> str:
    """The fact that alone would decide the answer; empty where it takes several, or where no household can tell."""
    return found[0].fact if len(found) == 1 and found[0].answerable else ""


def _fact(entry: Mapping[str, Any]) -> str:
    if entry.get("条件") == "receiving":
        return "receiving"
    why = str(entry.get("理由") or "")
    return str(entry.get("項目") or "") or (why if why in ("expired", "office") else "")


def _missing(fact: str, entries: list[Mapping[str, Any]]) -> Missing:
    told = [str(e.get("確認すること") or "") for e in entries]
    title = BY_ID[fact].term.title if fact in BY_ID else _OTHERS.get(fact, "")
    asks = tuple(dict.fromkeys(a for text in told if (a := text.removeprefix(f"{title}："))))
    reasons = dict.fromkeys(r for e in entries if (r := _why(str(e.get("理由") or ""))))
    return Missing(fact, title or (asks[0] if asks else "確かめること"), "・".join(reasons), asks if title else ())


def _why(code: str) -> str:
    return _WHY.get(code, code)
