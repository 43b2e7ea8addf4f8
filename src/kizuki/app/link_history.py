"""What happened to one person id, for the reviewer who must account for it; every look is recorded before anything is shown."""

import datetime as dt
from pathlib import Path
from typing import Any, Final

from kizuki.app import release
from kizuki.app.accounts import allow
from kizuki.engine.keys import KeyRing
from kizuki.govern.actor import Actor
from kizuki.link.master import read_master
from kizuki.link.words import ANSWER_TITLES

TITLES: Final = {
    "create": "作成",
    "link": "結び付け",
    "unlink": "外し",
    "merge": "統合",
    "split": "分割",
    "decide": "人の判断",
}


def person_history(actor: Actor, home: Path, person_id: str, until: dt.date | None = None) -> dict[str, Any]:
    """The events of one person, oldest first, and the id that stands for it; as known on `until` when given.

    A person nobody has ever made has no events. The look is in the audit log before anything is returned. Raises NotPermitted
    K701 unless the actor reviews links.
    """
    allow(actor, "link.review")
    master = read_master(home, KeyRing.load(home))
    if until is not None:
        master = master.as_of(until)
    events = [_told(row) for row in master.history(person_id).to_pylist()]
    release.record_output(
        actor, "link.history", subjects=[person_id], fields=["key_event"], count=len(events), reason="link history"
    )
    return {"person_id": person_id, "current_person_id": master.redirects().get(person_id, person_id), "events": events}


def _told(event: dict[str, Any]) -> dict[str, Any]:
    """An event with the words staff use for it; `answer` only where a reviewer said one."""
    answer = ANSWER_TITLES[event["state"]] if event["kind"] == "decide" else ""
    return {**event, "title": TITLES[event["kind"]], "answer": answer}
