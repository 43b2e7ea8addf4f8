"""Driver in a process of its own: the app of a home on disk, every page as every demo user; prints what carried a canary.

Output: one JSON line per (role, path) with a canary: the true persons whose markers it carried, those logged by it, and the
fields; then one summary line.
"""

import csv
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.canaries import Canary, read_canaries


def main(home: Path, most: int | None = None) -> None:
    """Crawl the home; of those with a canary, at most so many persons."""
    from kizuki.app import startup

    os.environ["KIZUKI_HOSTS"] = "testserver"
    startup.open_app(home, demo=True)
    startup.check_demo()
    startup.warm(home)
    from kizuki.app import audit, demo_users

    demo_users.ensure_demo_users(True)
    canaries = read_canaries(home)
    persons = dict(sorted(_person_ids(home, canaries).items())[:most])
    pages = 0
    offices = (
        "data_owner",
        "analyst",
        "it",
        "link_reviewer",
        "notice_officer",
        "programme_desk",
        "programme_office",
        "auditor",
    )
    for role in ("caseworker", "steering", *offices):
        for line in _as_role(role, persons, canaries):
            pages += 1
            if line:
                print(json.dumps(line, ensure_ascii=False))
    verdict = audit.verify()
    sealed = sorted(t for t, p in persons.items() if p in _sealed())
    print(json.dumps({"pages": pages, "log": verdict.ok, "events": verdict.events, "persons": len(persons), "sealed": sealed}))


def _as_role(role: str, persons: dict[str, str], canaries: list[Canary]) -> Iterator[dict[str, Any]]:
    from django.test import Client

    from kizuki.app import audit
    from kizuki.records.models import AuditSubject
    from tests.crawl import crawl

    client = Client()
    assert client.post("/demo/", {"role": role}).status_code == 302
    client.get("/docs/")
    before = audit.head().seq
    for answer in crawl(client, role, sorted(persons.values()), ("poverty", "abuse", "school_absence")):
        carried = [c for c in canaries if c.marker in answer.text]
        tokens = set(AuditSubject.objects.filter(event_id__gt=before).values_list("subject", flat=True))
        before = audit.head().seq
        logged = [t for t, p in persons.items() if audit.subject_token(p) in tokens]
        yield (
            {
                "role": role,
                "path": answer.path,
                "status": answer.status,
                "carried": sorted({(c.person, c.field) for c in carried}),
                "logged": sorted(logged),
            }
            if carried or answer.status >= 500
            else {}
        )


def _person_ids(home: Path, canaries: list[Canary]) -> dict[str, str]:
    """True person → person_id, for everybody with a canary."""
    from kizuki.app.snapshot_view import current_view
    from kizuki.engine.sql import load

    wanted = {c.person for c in canaries}
    link = current_view(home).cursor().query(load("tests", "all_links")).to_pylist()
    by_record = {(r["source"], r["record_id"]): r["person_id"] for r in link}
    with open(home / "truth" / "people.csv", encoding="utf-8-sig", newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["true_person"] in wanted and r["source"] == "resident_register"]
    return {r["true_person"]: by_record[key] for r in rows if (key := (r["source"], r["record_id"])) in by_record}


def _sealed() -> frozenset[str]:
    from kizuki.app.scope import people_of
    from kizuki.app.snapshot_view import current_view

    return people_of(current_view()).sealed


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
