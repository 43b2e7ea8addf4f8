"""件数の試算: how many children a draft would list now, beside the version in force; counts only, small ones rounded."""

from collections.abc import Mapping
from dataclasses import dataclass

from kizuki.app import accounts, audit
from kizuki.app.criteria_editing_checks import check
from kizuki.app.criteria_trial import Judged, judged, nightly_trials, shown_change, shown_count
from kizuki.app.served import Served
from kizuki.definitions.loader import Definitions
from kizuki.govern.actor import Actor
from kizuki.terms.errors import DefinitionError, InputRefused
from kizuki.terms.states import JudgementVerdict


@dataclass(frozen=True, slots=True)
class CountRow:
    """One verdict: how many now, how many with the draft."""

    verdict: str
    now: str
    then: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The counts of a draft; `problem` says why there are none. `now` is empty where no version is in force."""

    rows: tuple[CountRow, ...] = ()
    change: str = ""
    problem: str = ""


def preview(actor: Actor, served: Served, definitions: Definitions, text: str, base_version: str = "") -> Preview:
    """A draft's counts on the served snapshot; a draft that cannot be read yet gives the reason instead."""
    checked = check(text, definitions, base_version)
    if checked.criteria is None:
        return Preview(problem=f"まだ数えられません：{checked.findings[0].what}")
    main = definitions.criteria.get(checked.criteria.id)
    serving = main.on(served.as_of) if main is not None else None
    try:
        then = judged(served.view, definitions, checked.criteria)
        now = judged(served.view, definitions, serving) if serving is not None else None
    except (InputRefused, DefinitionError) as e:
        return Preview(problem=e.what)
    reason = f"件数の試算：{checked.criteria.id} 版 {checked.criteria.version}"
    entry = audit.Entry(fields=("item",), reason=reason, snapshot=served.view.id, policy=accounts.policy_version())
    audit.record(actor, "criteria.preview", entry)
    return _rows(now, then)


def _rows(now: Judged | None, then: Judged) -> Preview:
    rows = tuple(
        CountRow(v.value, "" if now is None else shown_count(now.count(v)), shown_count(then.count(v)))
        for v in JudgementVerdict
    )
    listed = [0 if side is None else len(side.listed()) for side in (now, then)]
    change = shown_change(*listed) if now is not None else f"新しく{shown_count(listed[1])}が載る"
    return Preview(rows, change)


@dataclass(frozen=True, slots=True)
class TrialRow:
    """What the last night found for one version on trial."""

    criteria: str
    name: str
    version: str
    counts: tuple[tuple[str, str], ...]


def trial_rows(served: Served, names: Mapping[str, str]) -> list[TrialRow]:
    """The versions on trial with the counts of the served night; `names` = what staff call each set, by its ID."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in nightly_trials(served.view):
        found.setdefault((row["criteria"], row["version"]), {})[row["verdict"]] = row["children"]
    return [
        TrialRow(
            criteria,
            names.get(criteria, criteria),
            version,
            tuple((v.value, shown_count(counts.get(v.value, 0))) for v in JudgementVerdict),
        )
        for (criteria, version), counts in sorted(found.items())
    ]
