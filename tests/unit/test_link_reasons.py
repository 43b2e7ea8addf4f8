"""Every code a night can give as the reason of a pair has its words; none is a bare code to a reviewer."""

from collections.abc import Iterator
from importlib.resources import files

import pytest
import sqlglot
from sqlglot import exp

from kizuki.app.link_reasons import reason_of
from kizuki.app.linking import linkage_of
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.link import regroup

DEFINITIONS = load_definitions(shipped_definitions())
PASSES = sorted(f.name for f in files("kizuki.link").joinpath("sql").iterdir() if f.name.startswith("by_"))


def codes(query: str) -> Iterator[str]:
    """Literals a query may give as `rule`, also inside CASE."""
    for alias in sqlglot.parse_one(query, read="duckdb").find_all(exp.Alias):
        if alias.alias == "rule":
            if isinstance(alias.this, exp.Literal):
                yield alias.this.this
            for case in alias.this.find_all(exp.Case):
                yield from (b.args["true"].this for b in case.args["ifs"])
                yield case.args["default"].this


def emitted() -> set[str]:
    found = {regroup.DOUBT, regroup.DECISION}
    for name in PASSES:
        found |= set(codes(files("kizuki.link").joinpath("sql", name).read_text(encoding="utf-8")))
    return found | {r.id for r in linkage_of(DEFINITIONS).rules.rules}


def test_the_passes_are_all_read_here() -> None:
    """The codes are found where they are written: one of each kind, so that an unread query cannot go unnoticed."""
    assert {"returned", "school_next_grade_name", "kana_near", "decision_listing", "person_no"} <= emitted()
    told = files("kizuki.link").joinpath("matching.py").read_text(encoding="utf-8")
    assert {f'"{name.removesuffix(".sql")}"' for name in PASSES} <= {f'"{n}"' for n in told.split('"')}


@pytest.mark.parametrize("code", sorted(emitted()))
def test_every_code_has_its_words(code: str) -> None:
    reason = reason_of(DEFINITIONS, code)
    assert reason is not None, f"link_reasons.py lacks {code}"
    assert reason.title and reason.explanation and not reason.title.isascii()


def test_an_unknown_code_has_no_words() -> None:
    assert reason_of(DEFINITIONS, "nonsense") is None
