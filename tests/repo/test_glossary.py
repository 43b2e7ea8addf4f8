"""Every domain term the code uses is in GLOSSARY.md: tables, kinds of spell and event, sources, criteria, programmes."""

import re

from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.terms.tables import ALL_TABLES
from tests.repo.source_tree import PACKAGE, ROOT

KIND = re.compile(r"'([a-z0-9_]+)'(?:\s+as\s+varchar\s*\))?\s+as\s+kind\b", re.I)


def _glossed() -> set[str]:
    rows = [line for line in (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return {term for row in rows for cell in re.findall(r"`([^`]+)`", row) for term in re.split(r"\s*/\s*", cell)}


def _kinds() -> set[str]:
    return {k for p in (PACKAGE / "mart" / "sql").glob("*.sql") for k in KIND.findall(p.read_text(encoding="utf-8"))}


def test_every_row_has_japanese_english_meaning_and_source() -> None:
    rows = [line for line in (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    assert rows
    assert [r for r in rows if len([c for c in r.strip("|").split("|") if c.strip()]) != 4] == []


def test_every_table_is_glossed() -> None:
    assert sorted(set(ALL_TABLES) - _glossed() - {"feed"}) == []


def test_every_kind_of_spell_and_event_is_glossed() -> None:
    assert _kinds()
    assert sorted(_kinds() - _glossed()) == []


def test_every_source_criteria_programme_and_role_is_glossed() -> None:
    definitions = load_definitions(shipped_definitions())
    used = {*definitions.sources, *definitions.criteria, *definitions.programmes}
    assert used
    assert sorted(used - _glossed()) == []
