"""The child page's panels are made from one set of facts: an unused programme never contradicts the timeline."""

import datetime as dt
import itertools
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.app import explanation as words
from kizuki.app.child_page import _facts, _offers, _unknowns
from kizuki.app.release import MASKED
from kizuki.app.served import Definitions

AS_OF = dt.date(2026, 11, 20)
RECEIPTS = {"school_aid": ("school_aid", ()), "medical_single_parent": ("medical_subsidy", ("ひとり親",))}


class _Programme(SimpleNamespace):
    """A programme with one version."""

    def on(self, day: object) -> "_Programme":
        return self


def definitions() -> Definitions:
    programmes = {
        name: _Programme(name=name, text=SimpleNamespace(receipt=SimpleNamespace(kind=kind, statuses=statuses)))
        for name, (kind, statuses) in RECEIPTS.items()
    }
    return Definitions(SimpleNamespace(programmes=programmes, criteria={}, sources={}))  # type: ignore[arg-type]


def spell(kind: str, status: str | None, starts: dt.date, ends: dt.date | None) -> dict[str, Any]:
    return {
        "person_id": "p", "fact": "spell", "kind": kind, "status": status, "facility": None, "detail": None, "amount": None,
        "starts_on": starts, "ends_on": ends, "value": None, "value_state": None, "code": None,
        "source": "medical_subsidy", "delivery_id": "d",
    }  # fmt: skip


def offer(programme: str, verdict: str, *, unclaimed: bool) -> dict[str, Any]:
    return {
        "programme": programme, "verdict": verdict, "receiving": False, "unclaimed": unclaimed,
        "reasons": json.dumps([{"文": "条件を満たしています"}]), "unknown": json.dumps([{"確認すること": "所得"}]),
    }  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["school_aid", "medical_subsidy"]),
            st.sampled_from([None, "ひとり親", "こども"]),
            st.dates(dt.date(2024, 1, 1), dt.date(2026, 12, 31)),
            st.none() | st.integers(1, 900),
        ),
        max_size=6,
    )
)
@settings(deadline=None, max_examples=50)
def test_no_programme_is_offered_that_the_timeline_shows_in_use(
    spells: list[tuple[str, str | None, dt.date, int | None]],
) -> None:
    rows = [spell(k, s, a, None if d is None else a + dt.timedelta(days=d)) for k, s, a, d in spells]
    facts = _facts(rows)
    answers = [offer(p, v, unclaimed=v == "該当") for p, v in itertools.product(RECEIPTS, ("該当", "不明"))]
    offered = {o.programme for o in _offers(answers, facts, definitions(), AS_OF)}
    running = [f for f in facts if f.in_force(AS_OF)]
    for programme, (kind, statuses) in RECEIPTS.items():
        in_use = any(f.kind == kind and (not statuses or f.status in statuses) for f in running)
        assert (programme in offered) == (not in_use)


def test_unknown_is_offered_as_something_to_confirm_and_no_is_not_offered() -> None:
    rows = [offer("school_aid", "不明", unclaimed=False), offer("medical_single_parent", "非該当", unclaimed=False)]
    (only,) = _offers(rows, (), definitions(), AS_OF)
    assert (only.programme, only.certain, [m.title for m in only.missing]) == ("school_aid", False, ["所得"])


def test_the_voice_of_the_family_is_always_among_what_is_unknown() -> None:
    assert "本人・保護者の声" in _unknowns((), ())[-1]


@pytest.mark.parametrize(("days", "old"), [(41, False), (42, True)], ids=["one interval and the grace days", "one day more"])
def test_a_value_is_old_beyond_its_feeds_interval_and_grace(days: int, old: bool) -> None:
    assert words.is_old(AS_OF - dt.timedelta(days=days), AS_OF, 31 + 10) is old


def test_a_masked_facility_is_said_to_be_hidden_not_blank() -> None:
    row = spell("childcare", None, AS_OF, None) | {"facility": MASKED}
    assert words.spell_text(row) == "非表示（保育）"


@pytest.mark.parametrize(
    ("birth", "text"), [(dt.date(2026, 3, 21), "7か月"), (dt.date(2025, 11, 20), "1歳"), (dt.date(2025, 11, 21), "11か月")]
)
def test_age_of_babies_is_in_months(birth: dt.date, text: str) -> None:
    assert words.age_text(birth, AS_OF) == text


def test_an_unentered_month_is_not_said_to_be_zero() -> None:
    row = {"kind": "absence_days", "code": None, "value": None, "value_state": "not_entered", "facility": None}
    assert words.event_text(row) == "欠席 未入力"
