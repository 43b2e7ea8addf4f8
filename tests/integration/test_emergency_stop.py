"""緊急停止: in force at the next response on every screen and export, lifted by two people; who saw what."""

import dataclasses
import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from kizuki.app import demo_users, emergency_stop, stop_ledger, stops, worklist
from kizuki.app.accounts import governance
from kizuki.app.list_filters import Filters
from kizuki.app.release import Actor
from kizuki.app.served import Definitions, Served
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.records.models import CriteriaStop
from kizuki.terms.errors import InputRefused, NotPermitted
from tests import marked_city
from tests.crawl import text_of
from tests.marked_city import MarkedView, rows

LOADED = load_definitions(shipped_definitions())
SENTENCES = {c: f"文_{c}" for c in ("poverty", "absence")}


@pytest.fixture
def view(app_home: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MarkedView]:
    """The marked city with a second set: c1 is listed by both, c5 by poverty alone."""
    import kizuki.web.urls  # noqa: F401

    content = rows()
    extra = [{**j, "criteria": "absence", "rank": 1} for j in content["judgement"] if j["person_id"] == "c1"]
    for reason in content["judgement_reason"]:
        reason["text"] = SENTENCES["poverty"]
    reasons = [
        {**r, "criteria": "absence", "text": SENTENCES["absence"]}
        for r in content["judgement_reason"]
        if r["person_id"] == "c1"
    ]
    content |= {
        "judgement": content["judgement"] + extra,
        "judgement_reason": content["judgement_reason"] + reasons,
    }
    monkeypatch.setattr(marked_city, "rows", lambda: content)
    city = MarkedView(id="two-sets")
    for name, module in list(sys.modules.items()):
        if name.startswith("kizuki.") and hasattr(module, "current_view"):
            monkeypatch.setattr(module, "current_view", lambda *a, **k: city)
    yield city
    city.engine.close()


def served(view: MarkedView) -> Served:
    return Served(view, Definitions(LOADED))  # type: ignore[arg-type]


class Snapshot(stop_ledger.Listed):
    """The marked city's listings, without files; one snapshot is gone."""

    def __init__(self, view: MarkedView, criteria: str) -> None:
        self._criteria, self._known, self.view = criteria, {}, view

    def _read(self, snapshot: str) -> Any:
        from kizuki.app import audit

        if snapshot != self.view.id:
            return None
        listed = {r["person_id"] for r in marked_city.rows()["judgement"] if r["criteria"] == self._criteria and r["rank"]}
        return {audit.subject_token(p): p for p in listed}


@pytest.fixture
def client_of(view: MarkedView, settings: Any, db: None) -> Any:
    settings.KIZUKI_DEMO = True
    demo_users.ensure_demo_users(True)

    def enter(role: str) -> Client:
        client = Client()
        assert client.post("/demo/", {"role": role}).status_code == 302
        client.get("/docs/")
        return client

    return enter


@pytest.mark.django_db
def test_a_stop_takes_the_set_from_every_screen_and_export_at_the_next_response(client_of: Any) -> None:
    caseworker, steering = client_of("caseworker"), client_of("steering")
    paths = ("/candidates/", "/children/c1/", "/", "/candidates/?criteria=poverty")
    before = {p: caseworker.get(p).content.decode() for p in paths}
    assert all(SENTENCES["poverty"] in before[p] for p in ("/candidates/", "/children/c1/"))
    assert steering.post("/sheets/poverty/stop/", {"what": "stop", "reason": "誤った項目"}).status_code == 302
    after = {p: caseworker.get(p).content.decode() for p in paths}
    for path, text in after.items():
        assert SENTENCES["poverty"] not in text, path
    assert SENTENCES["absence"] in after["/candidates/"] and "/children/c5/" not in after["/candidates/"]
    assert "緊急停止中の判定：<strong>貧困</strong>" in after["/children/c1/"]
    assert "緊急停止中です" in caseworker.get("/children/c1/judgement/poverty/").content.decode()
    excel = text_of(caseworker.post("/candidates/excel/", {"list": ""}))
    assert SENTENCES["absence"] in excel and SENTENCES["poverty"] not in excel
    assert SENTENCES["poverty"] not in caseworker.get("/children/c1/resident/").content.decode()


@pytest.mark.django_db
def test_the_command_line_export_keeps_back_a_stopped_set(view: MarkedView, actor_for: Any) -> None:
    from kizuki.cli.judge import judgements

    before = {r["criteria"] for r in judgements(view)}  # type: ignore[arg-type]
    emergency_stop.stop(actor_for("steering"), served(view), "poverty", "誤り")
    assert (before, {r["criteria"] for r in judgements(view)}) == ({"poverty", "absence"}, {"absence"})  # type: ignore[arg-type]


@pytest.mark.django_db
def test_two_people_lift_a_stop_and_the_set_comes_back(view: MarkedView, actor_for: Any) -> None:
    one, other, city = actor_for("steering"), actor_for("steering", login="second"), served(view)
    emergency_stop.stop(one, city, "poverty", "誤り")
    with pytest.raises(InputRefused):
        emergency_stop.stop(other, city, "poverty", "もう一度")
    with pytest.raises(InputRefused):
        emergency_stop.lift(other, "poverty")  # nobody asked yet
    emergency_stop.ask_to_lift(one, "poverty", "直した")
    with pytest.raises(NotPermitted):
        emergency_stop.lift(one, "poverty")
    listed = worklist.worklist(actor_for("caseworker"), city, Filters())
    assert [r.person_id for r in listed.rows] == ["c1"]
    emergency_stop.lift(other, "poverty")
    assert {r.person_id for r in worklist.worklist(actor_for("caseworker"), city, Filters()).rows} == {"c1", "c3", "c5"}
    found = CriteriaStop.objects.get()
    found.lifted_by_id = found.lift_asked_by_id
    with pytest.raises(IntegrityError):
        found.save()


@pytest.mark.django_db
@pytest.mark.parametrize("role", [r for r in governance().roles if r != "steering"])
def test_only_the_office_in_charge_stops(view: MarkedView, actor_for: Any, role: str) -> None:
    with pytest.raises(NotPermitted):
        emergency_stop.stop(actor_for(role), served(view), "poverty", "理由")


def test_a_combination_of_a_stopped_set_stops_with_it() -> None:
    def named(name: str, combines: tuple[str, ...]) -> Any:
        main = LOADED.criteria["poverty"]
        return dataclasses.replace(main, id=name, text=main.text.model_copy(update={"combines": combines}))

    sets = {"a": named("a", ()), "b": named("b", ("a",)), "c": named("c", ("b",)), "d": named("d", ())}
    assert stops.made_from(["a"], sets) == ["a", "b", "c"]
    assert stops.made_from(["d"], sets) == ["d"]


COMBINATION = """
ID: overall
名称: 総合
版: "1"
施行日: 2024-04-01
作成者: 分析
承認者: 総括
位置づけ: 試験
閾値: 1
組合せ: [poverty, absence]
項目:
  - {ID: either, 名称: どちらか, 条件: 貧困 または 不登校, 点: 1, 説明: どちらかに当たります, 根拠: 試験, 所管: 試験}
例:
  - {名称: 貧困, 状況: {貧困: はい}, 期待: 該当}
"""


@pytest.mark.django_db
def test_a_combination_written_after_the_stop_is_stopped_too(view: MarkedView, actor_for: Any, app_home: Path) -> None:
    made = emergency_stop.stop(actor_for("steering"), served(view), "poverty", "誤りが見つかった")
    assert "overall" not in made.covers and "overall" not in stops.stopped_sets()
    folder = app_home / "definitions" / "criteria"
    folder.mkdir(parents=True)
    (folder / "overall.yaml").write_text(COMBINATION, encoding="utf-8")
    assert "overall" in stops.stopped_sets() and "absence" not in stops.stopped_sets()
    standing = emergency_stop.standing("overall")
    assert standing is not None and standing.pk == made.pk
    emergency_stop.ask_to_lift(actor_for("steering"), "poverty", "直した")
    emergency_stop.lift(actor_for("steering", login="another"), "poverty")
    assert "overall" not in stops.stopped_sets()


@pytest.mark.django_db
def test_the_ledger_counts_who_saw_whom_and_leaves_out_what_was_hidden(view: MarkedView, actor_for: Any) -> None:
    worker: Actor = actor_for("caseworker")
    city, steering = served(view), actor_for("steering")
    worklist.worklist(worker, city, Filters())
    worklist.rows_for(worker, city, ("c5",), action="candidates.view")
    found = stop_ledger.ledger(steering, Snapshot(view, "poverty"), "poverty")
    (reader,) = found.readers
    assert (reader.actor, reader.responses, reader.children, reader.unknown) == ("caseworker", 2, 3, 0)
    assert [e.children for e in found.events] == [1, 3]
    emergency_stop.stop(steering, city, "poverty", "誤り")
    worklist.worklist(worker, city, Filters())
    again = stop_ledger.ledger(actor_for("auditor"), Snapshot(view, "poverty"), "poverty")
    assert again.readers[0].responses == 2
    by_child = stop_ledger.children(steering, Snapshot(view, "poverty"), "poverty")
    assert {c.person_id: c.readers for c in by_child}["c5"] == ("caseworker",)
    with pytest.raises(NotPermitted):
        stop_ledger.children(actor_for("auditor"), Snapshot(view, "poverty"), "poverty")


@pytest.mark.django_db
def test_a_snapshot_that_is_gone_is_counted_as_unknown(view: MarkedView, actor_for: Any) -> None:
    worklist.worklist(actor_for("caseworker"), served(view), Filters())
    gone = Snapshot(view, "poverty")
    gone.view = MarkedView.__new__(MarkedView)
    gone.view.id = "another"
    (reader,) = stop_ledger.ledger(actor_for("steering"), gone, "poverty").readers
    assert (reader.children, reader.unknown) == (0, 1)
    assert isinstance(reader.first, dt.datetime)
