"""What must never stand beside a child: a bare percentage, 「低リスク」, a score, a word that labels the person.

A shown 39 % was once read as "not urgent"; a list may only add children to look at (mission, lessons written in failures
elsewhere). Screens, sentences of criteria and messages are read here, so that a new one cannot bring the words back.
"""

import re
from collections.abc import Iterator

import pytest

from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from tests.repo.source_tree import PACKAGE, ROOT

FORBIDDEN = ("低リスク", "高リスク", "リスクが低", "リスクが高", "リスク値", "スコア", "点数", "危険度", "問題児", "要注意人物")
PERCENT = re.compile(r"[%％]|パーセント")
TAG = re.compile(r"\{%.*?%\}|\{#.*?#\}|<[^>]*>", re.S)
AGGREGATE = ("templates/review/check.html", "templates/validation/fairness.html", "templates/validation/thresholds.html")
"""Screens about the whole city: a share of many records, or the width of an interval, is no statement about a person."""


def templates() -> Iterator[tuple[str, str]]:
    """Every screen as the words it shows: tags and markup taken away."""
    for path in sorted((PACKAGE / "web" / "templates").rglob("*.html")):
        yield str(path.relative_to(PACKAGE)), TAG.sub("", path.read_text(encoding="utf-8"))


def sentences() -> Iterator[tuple[str, str]]:
    """Every sentence the criteria, items and programmes can say of a child."""
    definitions = load_definitions(shipped_definitions())
    for criteria in definitions.criteria.values():
        for entry in criteria.text.entries:
            yield f"{criteria.id}.{entry.id}", f"{criteria.name} {entry.name} {entry.explanation}"
    for item in definitions.items.values():
        yield item.id, f"{item.title} {item.meaning}"
    for path in sorted((ROOT / "definitions" / "profiles").rglob("*.yaml")):
        said = re.findall(r"^[\s-]*(?:名称|説明|値の意味):.*$", path.read_text(encoding="utf-8"), re.M)
        yield str(path.relative_to(ROOT)), "\n".join(said)


def messages() -> Iterator[tuple[str, str]]:
    """What a message says to staff."""
    for path in sorted((ROOT / "docs" / "reference" / "messages").glob("*.md")):
        yield path.name, path.read_text(encoding="utf-8")


def spoken() -> Iterator[tuple[str, str]]:
    """Words the app itself puts together for the pages of children."""
    for name in ("child_page", "explanation", "worklist", "since_last", "inquiries", "resident_sheet", "feedback"):
        text = (PACKAGE / "app" / f"{name}.py").read_text(encoding="utf-8")
        yield name, re.sub(r'"""(?:.|\n)*?"""', "", text)


def found(texts: Iterator[tuple[str, str]], words: tuple[str, ...] = FORBIDDEN) -> list[str]:
    return [f"{where}: {word}" for where, text in texts for word in words if word in text]


@pytest.mark.parametrize("texts", [templates, sentences, messages, spoken])
def test_no_word_labels_a_person(texts: object) -> None:
    assert callable(texts)
    assert found(texts()) == []


@pytest.mark.parametrize("texts", [templates, sentences, spoken])
def test_no_percentage_can_stand_beside_a_person(texts: object) -> None:
    assert callable(texts)
    every = [(where, text) for where, text in texts() if not any(a in where for a in AGGREGATE)]
    assert [where for where, text in every if PERCENT.search(text)] == []


def test_the_check_would_notice(tmp_path: object) -> None:
    assert found(iter([("a", "このこどもは低リスクです")])) == ["a: 低リスク"]
    assert PERCENT.search(TAG.sub("", "<td>39%</td>{% if x %}"))
    assert not PERCENT.search(TAG.sub("", "{% if x %}<td>{{ x }}</td>{% endif %}"))
