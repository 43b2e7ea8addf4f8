"""G5 and G6 on a generated city on disk: every page as every demo user, searched for the city's canaries."""

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
PLACES = {"address_extra", "phone"}


@pytest.fixture(scope="module")
def report(used_home: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What the crawl printed: pages with canaries, and the summary."""
    lines = [json.loads(line) for line in (used_home / "crawl.jsonl").read_text(encoding="utf-8").splitlines()]
    return lines[:-1], lines[-1]


def test_the_crawl_was_a_real_one(report: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    carried, summary = report
    assert summary["pages"] > 500 and summary["persons"] >= 10 and summary["log"]
    assert any(line["role"] == "caseworker" and line["carried"] for line in carried)
    assert summary["sealed"]


def test_no_page_failed(report: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    assert [(line["role"], line["path"]) for line in report[0] if line["status"] >= 500] == []


def test_no_canary_reaches_a_role_without_children(report: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    assert {line["role"] for line in report[0] if line["carried"]} <= {"caseworker", "steering", "link_reviewer"}
    for line in report[0]:
        if line["role"] == "link_reviewer" and line["carried"]:
            assert line["path"].startswith("/review/"), line["path"]
    fields = {field for line in report[0] if line["role"] == "steering" for _, field in line["carried"]}
    assert fields <= {"name"}


def test_no_place_of_a_sealed_person_and_no_free_text_reaches_anybody(
    report: tuple[list[dict[str, Any]], dict[str, Any]],
) -> None:
    sealed = set(report[1]["sealed"])
    leaks = [
        (line["role"], line["path"], person, field)
        for line in report[0]
        for person, field in line["carried"]
        if (person in sealed and field in PLACES) or field == "note"
    ]
    assert leaks == []


def test_every_canary_shown_was_logged_by_its_request(report: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    # households share a marker: one logged member of the same household accounts for it
    unlogged = [(line["role"], line["path"]) for line in report[0] if line["carried"] and not line["logged"]]
    assert unlogged == []
