"""From a draft to the night that uses it: two people, the file as the truth, and the way back."""

import datetime as dt
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError
from django.utils import timezone
from sqlglot import exp

from kizuki.app import audit, criteria_comparison, criteria_editing
from kizuki.app.city_definitions import definitions_of
from kizuki.app.criteria_board import COMING, ENDED, IN_FORCE, ON_TRIAL, board, definitions_now, state_of
from kizuki.app.criteria_editing_files import digest
from kizuki.app.criteria_trial import compared
from kizuki.app.judging import judge_all
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.app.served import definitions_of as served_definitions
from kizuki.engine.duck import DuckEngine
from kizuki.records.models import AuditEvent, AuditSubject, Case, CaseStatus, CriteriaDraft, CriteriaDraftStatus
from kizuki.terms.errors import DefinitionError, InputRefused, NotPermitted
from tests.marked_city import CHILDREN, MarkedView, mark
from tests.unit.test_criteria_comparison import child
from tests.unit.test_judging import item_table

pytestmark = pytest.mark.django_db
Make = Callable[..., Actor]
NEW_SET = """ID: lonely_move
名称: 転入後の孤立
版: "2026.1"
位置づけ: 初期値：地域の合意で置き換える
対象年齢: {下限: 0, 上限: 17}
閾値: 3
項目:
  - {ID: newcomer, 名称: 転入, 条件: 1年以内の転入, 点: 3, 説明: 転入から1年以内です, 根拠: 現場知・要検証, 所管: 市民課}
例:
  - {名称: 転入して間もない, 状況: {1年以内の転入: はい}, 期待: 該当, 点: 3}
"""


@pytest.fixture
def today() -> dt.date:
    return timezone.localdate()


@pytest.fixture
def soon(today: dt.date) -> dt.date:
    return today + dt.timedelta(days=3)


def base(home: Path, name: str = "absence") -> Any:
    return definitions_now(home).criteria[name]


def waiting(make: Make, home: Path, soon: dt.date, *changes: tuple[str, str]) -> CriteriaDraft:
    """不登校 with changes, as asked for by the analyst."""
    analyst = make("analyst")
    made = criteria_editing.start(analyst, base(home))
    text = made.text
    for old, new in changes or (("≥ 6回", "≥ 5回"),):
        assert old in text
        text = text.replace(old, new, 1)
    saved = criteria_editing.save(analyst, made.pk, text, made.revision)
    return criteria_editing.request(analyst, saved.pk, soon)


def approved(make: Make, home: Path, soon: dt.date, *changes: tuple[str, str]) -> CriteriaDraft:
    made = waiting(make, home, soon, *changes)
    return criteria_editing.decide(make("steering"), made.pk, approve=True, mark=digest(made.text))


def held(home: Path) -> dict[str, str]:
    """Every definition file of the home."""
    folder = home / "definitions"
    return {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*")) if p.is_file()}


def test_approval_writes_the_file_and_from_its_day_the_night_uses_it(
    actor_for: Make, app_home: Path, today: dt.date, soon: dt.date
) -> None:
    made = approved(actor_for, app_home, soon)
    assert list(held(app_home)) == ["criteria/absence.yaml", f"criteria/versions/absence-{made.version}.yaml"]
    main = definitions_of(app_home).criteria["absence"]
    assert main.on(today).version == "2026.1" and main.on(soon - dt.timedelta(days=1)).version == "2026.1"
    new = main.on(soon)
    assert new.version == made.version and new.entries[2].text.condition == "直近3か月の遅刻・早退 ≥ 5回"
    assert (new.text.author, new.text.approver) == ("職員 analyst", "職員 steering")
    assert (new.text.written_on, new.text.approved_on, new.valid_from) == (today, today, soon)
    city = {"five": child(absence_days_3m=10, late_early_3m=5)}
    answers = {}
    for day in (soon - dt.timedelta(days=1), soon):
        with DuckEngine(memory_limit="300MB", threads=1) as engine:
            engine.register("item", item_table(city))
            rows = judge_all(engine, definitions_of(app_home), day)["judgement"].to_pylist()
        answers[day] = {r["version"]: r["verdict"] for r in rows if r["criteria"] == "absence"}
    assert list(answers.values()) == [{"2026.1": "非該当"}, {made.version: "該当"}]


def test_a_new_set_is_added_without_code_and_its_examples_run(
    actor_for: Make, app_home: Path, soon: dt.date, today: dt.date
) -> None:
    analyst = actor_for("analyst")
    made = criteria_editing.start(analyst, None)
    criteria_editing.save(analyst, made.pk, NEW_SET, 1)
    waits = criteria_editing.request(analyst, made.pk, soon)
    criteria_editing.decide(actor_for("steering"), made.pk, approve=True, mark=digest(waits.text))
    assert list(held(app_home)) == ["criteria/lonely_move.yaml"]
    found = definitions_of(app_home).criteria["lonely_move"]
    assert found.on(today) is None and found.on(soon) is not None
    with DuckEngine(memory_limit="300MB", threads=1) as engine:
        engine.register("item", item_table({"a": child(moved_in_1y=True)}))
        rows = judge_all(engine, definitions_of(app_home), soon)["judgement"].to_pylist()
    assert [r["verdict"] for r in rows if r["criteria"] == "lonely_move"] == ["該当"]
    states = {row.criteria.id: row.state for row in board(definitions_now(app_home), today)}
    assert states["lonely_move"] == COMING and states["absence"] == IN_FORCE
    assert state_of(found, soon) == IN_FORCE


def test_whoever_wrote_cannot_approve_and_only_the_approving_role_can(actor_for: Make, app_home: Path, soon: dt.date) -> None:
    made = waiting(actor_for, app_home, soon)
    mark_ = digest(made.text)
    for role in ("analyst", "caseworker", "auditor", "it"):
        with pytest.raises(NotPermitted, match="K701"):
            criteria_editing.decide(actor_for(role), made.pk, approve=True, mark=mark_)
    steering = actor_for("steering")
    CriteriaDraft.objects.filter(pk=made.pk).update(writers=[*made.writers, steering.user_id])
    with pytest.raises(NotPermitted, match="自分が書いた"):
        criteria_editing.decide(steering, made.pk, approve=True, mark=mark_)
    with pytest.raises(IntegrityError):
        CriteriaDraft.objects.filter(pk=made.pk).update(decided_by_id=made.created_by_id)


def test_the_approving_role_cannot_draft(actor_for: Make, app_home: Path) -> None:
    for role in ("steering", "caseworker", "auditor"):
        with pytest.raises(NotPermitted, match="K701"):
            criteria_editing.start(actor_for(role), None)
    assert not CriteriaDraft.objects.exists()


def test_what_was_not_read_cannot_be_approved(actor_for: Make, app_home: Path, soon: dt.date) -> None:
    made = waiting(actor_for, app_home, soon)
    CriteriaDraft.objects.filter(pk=made.pk).update(text=made.text.replace("≥ 5回", "≥ 1回"))
    with pytest.raises(InputRefused, match="K586"):
        criteria_editing.decide(actor_for("steering"), made.pk, approve=True, mark=digest(made.text))
    assert held(app_home) == {}


def test_a_draft_being_looked_at_or_changed_by_another_is_not_overwritten(
    actor_for: Make, app_home: Path, soon: dt.date
) -> None:
    one, other = actor_for("analyst"), actor_for("analyst", login="analyst2")
    made = criteria_editing.start(one, base(app_home))
    criteria_editing.save(other, made.pk, made.text.replace("閾値: 7", "閾値: 9"), 1)
    with pytest.raises(InputRefused, match="K586"):
        criteria_editing.save(one, made.pk, made.text, 1)
    assert sorted(criteria_editing.draft(made.pk).writers) == sorted([one.user_id, other.user_id])
    asked = waiting(actor_for, app_home, soon)
    with pytest.raises(InputRefused, match="K586"):
        criteria_editing.save(one, asked.pk, "ID: x", asked.revision)


def test_refusal_needs_a_reason_and_gives_the_draft_back(actor_for: Make, app_home: Path, soon: dt.date) -> None:
    made = waiting(actor_for, app_home, soon)
    steering = actor_for("steering")
    with pytest.raises(InputRefused, match="K588"):
        criteria_editing.decide(steering, made.pk, approve=False, reason="  ")
    back = criteria_editing.decide(steering, made.pk, approve=False, reason="根拠が足りません")
    assert (back.status, back.decision_reason) == (CriteriaDraftStatus.RETURNED, "根拠が足りません")
    again = criteria_editing.save(actor_for("analyst"), made.pk, back.text, back.revision)
    assert criteria_editing.request(actor_for("analyst"), again.pk, soon).status == CriteriaDraftStatus.WAITING


@pytest.mark.parametrize("days", [None, 0, -1])
def test_a_day_that_is_not_to_come_is_refused(actor_for: Make, app_home: Path, today: dt.date, days: int | None) -> None:
    made = criteria_editing.start(actor_for("analyst"), base(app_home))
    day = None if days is None else today + dt.timedelta(days=days)
    with pytest.raises(InputRefused, match="K587"):
        criteria_editing.request(actor_for("analyst"), made.pk, day)


def test_a_draft_with_findings_cannot_ask_for_approval(actor_for: Make, app_home: Path, soon: dt.date) -> None:
    made = criteria_editing.start(actor_for("analyst"), base(app_home))
    criteria_editing.save(actor_for("analyst"), made.pk, made.text.replace("閾値: 7", "閾値: 6"), 1)
    with pytest.raises(InputRefused, match="K581"):
        criteria_editing.request(actor_for("analyst"), made.pk, soon)


def test_withdrawing_before_the_day_gives_every_file_back_as_it_was(actor_for: Make, app_home: Path, soon: dt.date) -> None:
    folder = app_home / "definitions" / "criteria"
    folder.mkdir(parents=True)
    (folder / "ours.yaml").write_text("# わたしたちの閾値\nID: absence\n閾値: 7\n", encoding="utf-8")
    before = held(app_home)
    made = approved(actor_for, app_home, soon)
    assert "# わたしたちの閾値" in held(app_home)["criteria/ours.yaml"]
    assert f"終了日: {soon}" in held(app_home)["criteria/ours.yaml"]
    with pytest.raises(InputRefused, match="K588"):
        criteria_editing.withdraw(actor_for("steering"), made.pk, "")
    gone = criteria_editing.withdraw(actor_for("steering"), made.pk, "議会の意見")
    assert (gone.status, held(app_home)) == (CriteriaDraftStatus.WITHDRAWN, before)
    with pytest.raises(InputRefused, match="K586"):
        criteria_editing.withdraw(actor_for("steering"), made.pk, "もう一度")


def test_a_version_in_force_cannot_be_withdrawn_and_a_file_changed_by_hand_is_left_alone(
    actor_for: Make, app_home: Path, soon: dt.date, today: dt.date
) -> None:
    made = approved(actor_for, app_home, soon)
    path = app_home / "definitions" / "criteria" / "versions" / f"absence-{made.version}.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "# 直した\n", encoding="utf-8")
    with pytest.raises(InputRefused, match="K585"):
        criteria_editing.withdraw(actor_for("steering"), made.pk, "取り下げ")
    path.write_text(text, encoding="utf-8")
    CriteriaDraft.objects.filter(pk=made.pk).update(effective_on=today)
    with pytest.raises(InputRefused, match="K586"):
        criteria_editing.withdraw(actor_for("steering"), made.pk, "取り下げ")


def test_a_third_version_ends_the_second_and_none_may_come_before_one_to_come(
    actor_for: Make, app_home: Path, soon: dt.date, today: dt.date
) -> None:
    second = approved(actor_for, app_home, soon)
    with pytest.raises(InputRefused, match="K584"):
        waiting(actor_for, app_home, soon)
    later = soon + dt.timedelta(days=30)
    third = approved(actor_for, app_home, later, ("≥ 6回", "≥ 4回"))
    main = definitions_of(app_home).criteria["absence"]
    days = (today, soon, later)
    assert [main.on(d).version for d in days] == ["2026.1", second.version, third.version]
    states = {v.version: state_of(v, later) for v in main.versions}
    assert states == {"2026.1": ENDED, second.version: ENDED, third.version: IN_FORCE}


def test_a_trial_runs_beside_what_is_in_force_and_ends_when_it_is_promoted(
    actor_for: Make, app_home: Path, soon: dt.date
) -> None:
    trial = approved(actor_for, app_home, soon, ("位置づけ", "試行: はい\n位置づけ"), ("≥ 6回", "≥ 5回"))
    main = definitions_of(app_home).criteria["absence"]
    assert main.on(soon).version == "2026.1" and [t.version for t in main.trials_on(soon)] == [trial.version]
    assert state_of(main.trials_on(soon)[0], soon) == ON_TRIAL
    copy = criteria_editing.start(actor_for("analyst"), main.trials_on(soon)[0])
    assert "試行" not in copy.text and "≥ 5回" in copy.text
    day = soon + dt.timedelta(days=60)
    asked = criteria_editing.request(actor_for("analyst"), copy.pk, day)
    criteria_editing.decide(actor_for("steering"), copy.pk, approve=True, mark=digest(asked.text))
    main = definitions_of(app_home).criteria["absence"]
    assert main.on(day).version == copy.version and main.trials_on(day) == ()
    assert main.on(soon).version == "2026.1" and main.trials_on(soon)


def test_nothing_is_written_when_the_log_cannot_be(
    actor_for: Make, app_home: Path, soon: dt.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = waiting(actor_for, app_home, soon)

    def full(*_: Any, **__: Any) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(AuditEvent, "save", full)
    with pytest.raises(NotPermitted, match="K703"):
        criteria_editing.decide(actor_for("steering"), made.pk, approve=True, mark=digest(made.text))
    assert held(app_home) == {}


def test_what_the_night_could_not_load_is_refused_before_anybody_approves(
    actor_for: Make, app_home: Path, soon: dt.date
) -> None:
    folder = app_home / "definitions" / "criteria" / "versions"
    folder.mkdir(parents=True)
    signed = f"施行日: {soon}\n作成者: x\n承認者: x\n位置づけ"
    stray = criteria_editing.copy_of(base(app_home), "2030.1").replace("位置づけ", signed, 1)
    made = criteria_editing.start(actor_for("analyst"), base(app_home))
    (folder / "stray.yaml").write_text(stray, encoding="utf-8")
    with pytest.raises((DefinitionError, InputRefused)):
        criteria_editing.request(actor_for("analyst"), made.pk, soon)


def test_every_step_is_in_the_log(actor_for: Make, app_home: Path, soon: dt.date) -> None:
    made = approved(actor_for, app_home, soon)
    criteria_editing.withdraw(actor_for("steering"), made.pk, "議会の意見")
    actions = [e.action for e in AuditEvent.objects.order_by("seq")]
    told = ["criteria.draft", "criteria.draft", "criteria.request", "criteria.approve", "criteria.withdraw"]
    assert actions == told and audit.verify().ok


@pytest.fixture
def city(marked_city: MarkedView, app_home: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The marked city with absences: c1 is listed by both versions, c3 and c4 only by the new one."""
    view = MarkedView()
    facts = {p: child() for p in CHILDREN}
    facts |= {"c1": child(absence_days_3m=12, absence_increase=6)}
    facts |= {p: child(absence_days_3m=12, late_early_3m=5) for p in ("c3", "c4")}
    view.engine.register("arriving_items", item_table(facts))
    view.engine.materialise("item", exp.select("*").from_("arriving_items"))
    for name, module in list(sys.modules.items()):
        if name.startswith("kizuki.") and hasattr(module, "current_view"):
            monkeypatch.setattr(module, "current_view", lambda *a, **k: view)
    return Served(view, served_definitions(app_home, "compared"))  # type: ignore[arg-type]


def comparison(city: Served, home: Path) -> Any:
    old = base(home)
    text = criteria_editing.copy_of(old, "2027.1").replace("≥ 6回", "≥ 5回")
    new = criteria_editing.check(text, definitions_now(home), "2026.1").criteria
    assert new is not None
    return compared(city.view, definitions_now(home), (old, new), reasons=True)


def test_children_of_a_comparison_come_through_the_door_and_are_logged(city: Served, actor_for: Make, app_home: Path) -> None:
    found = comparison(city, app_home)
    assert (found.entering, found.staying) == ({"c3", "c4"}, {"c1"})
    told = criteria_comparison.told(actor_for("steering"), city, found, children=True)
    entering = {c.person_id: c for c in told.groups[0].children}
    assert entering["c4"].name == mark("c4", "person", "name")
    assert (entering["c4"].before, entering["c4"].after) == ("非該当", "該当")
    assert "直近3か月の遅刻・早退が5回あります" in entering["c4"].new_reasons
    assert entering["c4"].old_reasons == ("直近3か月の欠席が12日あります",)
    events = AuditEvent.objects.filter(action="criteria.children")
    tokens = set(AuditSubject.objects.filter(event__in=events).values_list("subject", flat=True))
    assert tokens == {audit.subject_token(p) for p in ("c1", "c3", "c4")}
    fields = {f for e in events for f in json.loads(e.body)["fields"]}
    assert {"person.name", "judgement_reason.text", "judgement.verdict"} <= fields


@pytest.mark.parametrize("role", ["analyst", "caseworker", "auditor"])
def test_other_roles_get_counts_and_no_child(city: Served, actor_for: Make, app_home: Path, role: str) -> None:
    found = comparison(city, app_home)
    told = criteria_comparison.told(actor_for(role), city, found, children=False)
    assert [g.count for g in told.groups] == ["7人以下", "0人", "7人以下"]
    assert not any(g.children for g in told.groups)
    with pytest.raises(NotPermitted, match="K701"):
        criteria_comparison.told(actor_for(role), city, found, children=True)


def test_known_results_are_what_staff_decided(city: Served, actor_for: Make, app_home: Path) -> None:
    found = comparison(city, app_home)
    for person, status in (("c1", CaseStatus.SUPPORTING), ("c4", CaseStatus.DISMISSED), ("c3", CaseStatus.NEW)):
        Case.objects.create(person_id=person, status=status)
    outcome = criteria_comparison.against_results(found)
    assert (outcome.known, outcome.apart, outcome.old, outcome.new) == (2, 1, 1.0, 0.5)
    assert outcome.answer == "判定できない"
