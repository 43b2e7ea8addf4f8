"""検証: every criteria set with how much of its past can be seen, what was learned, and whether that may still be used."""

from dataclasses import dataclass
from pathlib import Path

from kizuki.app import aggregate, docs_pages
from kizuki.app.backtest_results import Result, all_kept, kept
from kizuki.app.learned_watch import stopped
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.app.thresholds import chosen_set, criteria_sets, why_empty, why_not_learned
from kizuki.definitions.criteria import CriteriaSet

_METHODS = {"staff_points": "現場の点", "hybrid": "現場の点と項目", "additive": "項目ごとの表", "none": "—"}


@dataclass(frozen=True, slots=True)
class Line:
    """One criteria set."""

    criteria: CriteriaSet
    past_case: str
    events: str
    method: str
    state: str
    made_for: str
    stopped: tuple[str, ...]


def validation_board(actor: Actor, served: Served, home: Path) -> tuple[Line, ...]:
    """Every set in force, in the order of their ids. Raises NotPermitted."""
    aggregate.permitted(actor, "validation.view", served, (), "")
    found = all_kept(home)
    lines = []
    for criteria in criteria_sets(served).values():
        result = found.get(criteria.id)
        events = result.told.get("events") if result else None
        lines.append(
            Line(
                criteria,
                criteria.text.past_case,
                "—" if events is None else "10件未満" if events < aggregate.SMALLEST else f"{events:,}件",
                _METHODS.get(str(result.told.get("method")), "—") if result else "—",
                why_empty(result) or _said(home, result),
                str(result.told["as_of"]) if result else "",
                stopped(home, result),
            )
        )
    return tuple(lines)


def _said(home: Path, result: Result | None) -> str:
    why = why_not_learned(home, result)
    return f"現場の順の見込みを出せます。学んだ順は出せません：{why}" if why else "現場の順と、学んだ順の見込みを出せます"


def why_no_sheet(home: Path, criteria: str) -> str:
    """What stands in the way of a sheet."""
    return why_empty(kept(home, criteria))


def sheet_page(actor: Actor, served: Served, home: Path, name: str) -> tuple[CriteriaSet, docs_pages.DocPage | None]:
    """The model sheet of one set in TRIPOD+AI order; None where nothing was learned yet. Raises NotPermitted."""
    criteria = chosen_set(served, name)
    aggregate.permitted(actor, "validation.view", served, (), criteria.id)
    found = all_kept(home).get(criteria.id)
    text = str(found.told.get("sheet") or "") if found else ""
    text = text.partition("\n")[2] if text.startswith("# ") else text  # the page has its own heading
    return criteria, docs_pages.render(text, f"sheet/{criteria.id}") if text else None
