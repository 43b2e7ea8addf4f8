"""Every K-code raised has a section in the manual, and every section belongs to a code that is raised."""

import re

from tests.repo.source_tree import PACKAGE, ROOT

CODE = re.compile(r"[\"'](K\d{3})[\"']")
LAUNCHER_CODE = re.compile(r"\[(K\d{3})\]")
HEADING = re.compile(r"^## (K\d{3})\b", re.M)


def _raised() -> set[str]:
    codes: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        codes |= set(CODE.findall(path.read_text(encoding="utf-8")))
    return codes | set(LAUNCHER_CODE.findall((ROOT / "kizuki").read_text(encoding="utf-8")))


def _documented() -> list[str]:
    pages = sorted((ROOT / "docs" / "reference" / "messages").glob("K*.md"))
    return [code for page in pages for code in HEADING.findall(page.read_text(encoding="utf-8"))]


def test_every_code_has_a_section() -> None:
    assert sorted(_raised() - set(_documented())) == []


def test_every_section_has_a_code() -> None:
    assert sorted(set(_documented()) - _raised()) == []


def test_no_code_is_documented_twice() -> None:
    documented = _documented()
    assert len(documented) == len(set(documented))
