"""`link history` and `link verify`: what happened to one person id, recorded before it is shown; whether all is still there."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kizuki.app import audit, release
from kizuki.app.link_export import COLUMNS, export_links, record_pairs
from kizuki.app.link_history import person_history
from kizuki.cli.main import app as verbs
from kizuki.cli.main import call
from kizuki.engine.keys import KeyRing
from kizuki.engine.store import write_table
from kizuki.govern.actor import Actor
from kizuki.link.event_store import append_events, read_events
from kizuki.link.master import KeyMaster, no_events, read_master
from kizuki.records.models import AuditEvent
from kizuki.terms.errors import NotPermitted
from tests.marked_city import PEOPLE, MarkedView
from tests.unit.link_people import REGISTER
from tests.unit.test_link_master import DAY, groups

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(app_home: Path) -> Callable[[], dict[str, str]]:
    """Two nights with a word between them on disk; returns who each record was on the first."""

    def tell() -> dict[str, str]:
        keys = KeyRing.load(app_home)
        first = KeyMaster(no_events()).reconcile(groups("R1", "a"), keys, DAY, "v1")
        append_events(app_home, keys, first.events)
        word = read_master(app_home, keys).decide(
            ("office", "a"), (REGISTER, "R1"), "same", night=DAY, actor="審査者1", reason="窓口で確認"
        )
        append_events(app_home, keys, word)
        second = read_master(app_home, keys).reconcile(groups("R1 a"), keys, DAY + dt.timedelta(days=1), "v2")
        append_events(app_home, keys, second.events)
        return {r["record_id"]: r["person_id"] for r in first.link.to_pylist()}

    return tell


def test_the_history_of_a_person_says_who_when_and_by_which_rule_and_is_recorded(app_home: Path, told: Any) -> None:
    who = told()
    actor = Actor(0, "reviewer", "reviewer", "link_reviewer", "linkage_review", "cli")
    found = person_history(actor, app_home, who["a"])
    assert [(e["title"], e["answer"], e["actor"]) for e in found["events"]] == [
        ("作成", "", "名寄せ処理"), ("結び付け", "", "名寄せ処理"), ("人の判断", "同一", "審査者1"),
        ("外し", "", "名寄せ処理"), ("統合", "", "名寄せ処理"),
    ]  # fmt: skip
    assert [e["model"] for e in found["events"]] == ["v1", "v1", None, "v2", "v2"]
    assert found["current_person_id"] == who["R1"]
    assert [(s.action, s.actor) for s in audit.sightings(who["a"])] == [("link.history", "reviewer")]
    then = person_history(actor, app_home, who["a"], DAY)
    assert (len(then["events"]), then["current_person_id"]) == (3, who["a"])
    assert person_history(actor, app_home, "nobody")["events"] == []


def test_the_verify_verb_answers_and_refuses(app_home: Path, told: Any, capsys: pytest.CaptureFixture[str]) -> None:
    told()

    def verify(*more: str) -> tuple[int, dict[str, Any]]:
        code = call(lambda: verbs(["link", "verify", "--home", str(app_home), "--json", *more], standalone_mode=False))
        return code, json.loads(capsys.readouterr().out)

    code, found = verify()
    assert (code, found["ok"], found["first_bad"]) == (0, True, None)
    assert verify("--head", found["head"])[0] == 0
    assert verify("--head", f"2:{'0' * 64}")[0] == 5
    keys = KeyRing.load(app_home)
    events = read_events(app_home, keys)
    swapped = events.set_column(
        8, events.schema.field("other_record_id"), pc.fill_null(events["other_record_id"], pa.scalar("R9", pa.string()))
    )
    for part in (app_home / "keymaster").glob("*.parquet"):
        first, last = (int(n) for n in part.stem.split("-"))
        write_table(part, swapped.slice(first - 1, last - first + 1), keys, "keymaster")
    code, found = verify()
    assert (code, found["ok"], found["first_bad"]) == (5, False, 1)


def events_of(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action))


def test_the_links_leave_only_for_those_who_review_and_are_recorded_first(
    marked_city: MarkedView, app_home: Path, actor_for: Callable[..., Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = export_links(actor_for("link_reviewer"), app_home)
    assert {r["person_id"] for r in rows} == set(PEOPLE) and set(rows[0]) == set(COLUMNS)
    (event,) = events_of("link.export")
    assert event.subjects.count() == len(PEOPLE)
    for role in ("caseworker", "it", "auditor", "analyst"):
        with pytest.raises(NotPermitted, match="K701"):
            export_links(actor_for(role), app_home)
    assert len(events_of("link.export")) == 1

    def no_disk(*_: Any, **__: Any) -> None:
        raise NotPermitted("K703", "記録できません。")

    monkeypatch.setattr(release, "record_output", no_disk)
    with pytest.raises(NotPermitted, match="K703"):
        export_links(actor_for("link_reviewer"), app_home)


@pytest.mark.parametrize("role", ["caseworker", "it", "steering", "auditor"])
def test_the_history_is_refused_to_others_before_anything_is_read(
    role: str, app_home: Path, told: Any, actor_for: Callable[..., Actor]
) -> None:
    who = told()
    with pytest.raises(NotPermitted, match="K701"):
        person_history(actor_for(role), app_home, who["a"])
    assert events_of("link.history") == []


def test_the_verbs_ask_the_rights_of_the_named_user(
    app_home: Path,
    told: Any,
    actor_for: Callable[..., Actor],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    who = told()
    monkeypatch.setattr("kizuki.app.startup.open_app", lambda *_: None)
    for role in ("link_reviewer", "caseworker"):
        actor_for(role)

    def history(user: str) -> int:
        words = ["link", "history", who["a"], "--home", str(app_home), "--user", user]
        return call(lambda: verbs(words, standalone_mode=False))

    assert history("link_reviewer") == 0 and "作成" in capsys.readouterr().out
    assert [e.actor for e in events_of("link.history")] == ["link_reviewer"]
    assert history("caseworker") == 6 and capsys.readouterr().out == ""
    assert history("nobody") == 4 and capsys.readouterr().out == ""


def test_two_tables_linked_beside_the_city_are_on_record(app_home: Path, actor_for: Callable[..., Actor]) -> None:
    record_pairs(actor_for("link_reviewer"), 12)
    (event,) = events_of("link.pairs")
    assert '"count": 12' in event.body or '"count":12' in event.body
    with pytest.raises(NotPermitted, match="K701"):
        record_pairs(actor_for("notice_officer"), 1)
