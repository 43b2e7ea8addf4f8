"""What the documents name exists: files, tests, verbs and links between pages."""

import re
from pathlib import Path

import pytest

from kizuki.cli.main import VERBS
from tests.repo.source_tree import ROOT

PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+\.md)")
TEST = re.compile(r"`((?:tests/\w+/)?test_\w+\.py)`")
VERB = re.compile(r"\./kizuki ([a-z]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    made = {
        ROOT / "docs" / "reference" / f"{name}.md" for name in ("tables", "sources", "glossary", "criteria", "items")
    }  # made when asked for
    dead = [t for t in LINK.findall(page.read_text(encoding="utf-8")) if not _exists((page.parent / t).resolve(), made)]
    assert dead == []


def _exists(target: Path, made: set[Path]) -> bool:
    return target.is_file() or target in made


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_test_named_exists(page: Path) -> None:
    names = {Path(t).name for t in TEST.findall(page.read_text(encoding="utf-8"))}
    assert sorted(n for n in names if not list((ROOT / "tests").rglob(n))) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_verb_named_exists(page: Path) -> None:
    assert sorted(set(VERB.findall(page.read_text(encoding="utf-8"))) - set(VERBS) - {"test"}) == []
