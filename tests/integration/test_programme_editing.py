"""A programme from a draft to the night: two people, the file as the truth, the way back; the registry; the office's list."""

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from kizuki.app import confirmation_list, programme_editing, programme_registry
from kizuki.app.city_definitions import definitions_of
from kizuki.app.criteria_board import definitions_now
from kizuki.app.criteria_editing_files import digest
from kizuki.app.programme_board import differences
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.app.served import definitions_of as served_definitions
from kizuki.definitions.programmes import in_force
from kizuki.records.models import AuditEvent, AuditSubject, CriteriaDraft, CriteriaDraftStatus, DraftKind, User
from kizuki.terms.errors import DefinitionError, InputRefused, NotPermitted
from tests.marked_city import MarkedView

pytestmark = pytest.mark.django_db
Make = Callable[..., Actor]
desk = programme_editing.desk
NAME = "school_aid"


@pytest.fixture
def today() -> dt.date:
    return timezone.localdate()


@pytest.fixture
def soon(today: dt.date) -> dt.date:
    return today + dt.timedelta(days=3)


def waiting(make: Make, home: Path, soon: dt.date, *changes: tuple[str, str]) -> CriteriaDraft:
    """就学援助 with changes, as asked for by its office."""
    office = make("programme_office")
    made = programme_editing.start(office, definitions_now(home).programmes[NAME])
    text = made.text
    for old, new in changes or (("問合せ先: ", "問合せ先: 新しい"),):
        assert old in text
        text = text.replace(old, new, 1)
    saved = desk.save(office, made.pk, text, made.revision)
    return desk.request(office, saved.pk, soon)


def held(home: Path) -> list[str]:
    folder = home / "definitions"
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_change_answers_from_its_day_and_what_was_before_answers_until_then(
    actor_for: Make, app_home: Path, soon: dt.date, today: dt.date
) -> None:
    asked = waiting(actor_for, app_home, soon)
    assert asked.kind == DraftKind.PROGRAMME
    desk.decide(actor_for("steering"), asked.pk, approve=True, mark=digest(asked.text))
    assert held(app_home) == [f"programmes/versions/{NAME}-{soon.isoformat()}.yaml"]
    main = definitions_of(app_home).programmes[NAME]
    before, after = main.on(soon - dt.timedelta(days=1)), main.on(soon)
    assert before is main and after.text.contact == f"新しい{main.text.contact}"
    assert (after.text.author, after.text.approver) == ("職員 programme_office", "職員 steering")
    assert (after.text.written_on, after.text.approved_on, after.begins_on) == (today, today, soon)
    assert after.text.rules == main.text.rules and after.text.examples == main.text.examples
    assert [d.about for d in differences(before, after)] == ["問合せ先"]
    texts = {p.id: p for p in in_force(definitions_of(app_home).programmes, soon)}
    assert texts[NAME] is not main and len(texts) == len(in_force(definitions_of(app_home).programmes, today))


def test_whoever_wrote_cannot_approve_and_other_roles_may_not_draft(actor_for: Make, app_home: Path, soon: dt.date) -> None:
    asked = waiting(actor_for, app_home, soon)
    with pytest.raises(NotPermitted, match="K701"):
        desk.decide(actor_for("programme_office"), asked.pk, approve=True, mark=digest(asked.text))
    steering = actor_for("steering")
    CriteriaDraft.objects.filter(pk=asked.pk).update(writers=[*asked.writers, steering.user_id])
    with pytest.raises(NotPermitted, match="自分が書いた"):
        desk.decide(steering, asked.pk, approve=True, mark=digest(asked.text))
    for role in ("caseworker", "analyst", "data_owner", "it"):
        with pytest.raises(NotPermitted, match="K701"):
            programme_editing.start(actor_for(role), None)
    assert held(app_home) == []


def test_fewer_than_eight_examples_or_one_that_fails_keep_approval_away(actor_for: Make, app_home: Path, soon: dt.date) -> None:
    office = actor_for("programme_office")
    made = programme_editing.start(office, definitions_now(app_home).programmes[NAME])
    assert programme_editing.checked(made).sound
    few = desk.save(office, made.pk, made.text.split("\n例:\n")[0] + "\n例: []\n", 1)
    assert not programme_editing.checked(few).sound
    with pytest.raises(InputRefused, match="K581"):
        desk.request(office, few.pk, soon)
    wrong = desk.save(office, few.pk, made.text.replace("期待: 該当", "期待: 非該当", 1), few.revision)
    (finding,) = programme_editing.checked(wrong).findings
    assert finding.code == "K504" and "のはずが該当" in finding.what and finding.field.startswith("example-")
    with pytest.raises(InputRefused, match="K581"):
        desk.request(office, wrong.pk, soon)


def test_seven_examples_are_one_too_few(actor_for: Make, app_home: Path) -> None:
    form = programme_editing.form_of(programme_editing.copy_of(definitions_now(app_home).programmes[NAME]))
    for count in (7, 8):
        cut = type(form)(form.head, form.rules, form.tables, form.cases, form.examples[:count], form.kept)
        text = programme_editing.yaml_of(cut)
        codes = [f.code for f in programme_editing.check(text, definitions_now(app_home), new=False).findings]
        assert codes == (["K606"] if count == 7 else [])


def test_only_one_change_can_be_on_its_way_and_it_can_be_taken_back(actor_for: Make, app_home: Path, soon: dt.date) -> None:
    asked = waiting(actor_for, app_home, soon)
    desk.decide(actor_for("steering"), asked.pk, approve=True, mark=digest(asked.text))
    with pytest.raises(InputRefused, match="K584"):
        waiting(actor_for, app_home, soon + dt.timedelta(days=1))
    back = desk.withdraw(actor_for("steering"), asked.pk, "要綱の改正が延びた")
    assert back.status == CriteriaDraftStatus.WITHDRAWN and held(app_home) == []
    told = [e for e in AuditEvent.objects.values_list("action", flat=True) if e.startswith("programme.")]
    assert told.count("programme.approve") == told.count("programme.withdraw") == 1


def test_a_version_without_its_programme_or_day_stops_the_loader(app_home: Path) -> None:
    folder = app_home / "definitions" / "programmes" / "versions"
    folder.mkdir(parents=True)
    for text in ("ID: nothing\n施行日: 2027-01-01\n", f"ID: {NAME}\n"):
        (folder / "x.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(DefinitionError, match="K804"):
            definitions_of(app_home)


def test_a_years_figures_reach_the_approved_text_too_and_its_own_stay(actor_for: Make, app_home: Path, soon: dt.date) -> None:
    main = definitions_of(app_home).programmes[NAME]
    table = main.text.tables[0]
    asked = waiting(actor_for, app_home, soon)
    desk.decide(actor_for("steering"), asked.pk, approve=True, mark=digest(asked.text))
    folder = app_home / "definitions" / "programmes" / "parameters"
    folder.mkdir(parents=True)
    row = "{適用開始: 2031-04-01, 適用終了: 2032-03-31, 値: [1, 2], 出典: 試験, 確認日: 2031-04-01}"
    page = f"ID: fy2031\n表:\n  - 制度: {NAME}\n    名: {table.name}\n    行:\n      - {row}\n"
    (folder / "fy2031.yaml").write_text(page, encoding="utf-8")
    both = definitions_of(app_home).programmes[NAME].versions
    assert [len(v.table(table.name).rows) for v in both] == [len(table.rows) + 1] * 2


REGISTRY = "PSID,タイトル（制度名）,概要,詳細参照先,お問い合わせ先\n"


def test_the_registry_becomes_drafts_that_cannot_be_judged_and_matches_what_is_there(
    actor_for: Make, app_home: Path, soon: dt.date
) -> None:
    office = actor_for("programme_office")
    rows = (
        f"{REGISTRY}p1,紙おむつの支給,乳児に支給,https://example.lg.jp/,給付係\np2,就学援助,学用品費,https://example.lg.jp/s,\n"
    )
    done = programme_registry.import_registry(office, rows.encode("cp932"))
    assert (done.made, done.same, done.waiting, done.refused) == (2, 0, 0, ())
    new, change = sorted(desk.drafts(), key=lambda d: d.criteria)
    assert programme_editing.checked(new).programme is None  # nothing to judge by
    with pytest.raises(InputRefused, match="K581"):
        desk.request(office, new.pk, soon)
    assert (change.criteria, change.base_version != "") == (NAME, True)
    asked = desk.request(office, change.pk, soon)
    desk.decide(actor_for("steering"), asked.pk, approve=True, mark=digest(asked.text))
    later = definitions_of(app_home).programmes[NAME].on(soon)
    assert (later.text.registry.psid, later.text.registry.link) == ("p2", "https://example.lg.jp/s")
    again = programme_registry.import_registry(office, rows.encode())
    assert (again.made, again.same, again.waiting) == (0, 1, 1)
    with pytest.raises(NotPermitted, match="K701"):
        programme_registry.import_registry(actor_for("analyst"), rows.encode())


def test_too_many_at_once_are_refused_and_none_is_taken(actor_for: Make, app_home: Path) -> None:
    rows = REGISTRY + "".join(f"p{n},制度{n},,,\n" for n in range(programme_registry.MOST_NEW + 1))
    with pytest.raises(InputRefused, match="K609"):
        programme_registry.import_registry(actor_for("programme_office"), rows.encode())
    assert not desk.drafts()


@pytest.fixture
def now(marked_city: MarkedView, app_home: Path) -> Served:
    return Served(marked_city, served_definitions(app_home, "marked"))


@pytest.fixture
def office(actor_for: Make) -> Actor:
    """Somebody of the office that runs 就学援助."""
    made = actor_for("programme_office")
    User.objects.filter(pk=made.user_id).update(department="学校教育課")
    return made


def open_answers(view: Any) -> list[dict[str, Any]]:
    rows = view.tables("eligibility")["eligibility"].to_pylist()
    return [r for r in rows if r["verdict"] == "不明" and r["programme"] == NAME]


def test_the_office_sees_its_own_open_answers_and_the_door_records_them(now: Served, office: Actor) -> None:
    found = confirmation_list.board(office, now)
    assert {p.text.owner for p in found.programmes} == {"学校教育課"}
    wanted = open_answers(now.view)
    assert found.total >= len(wanted) > 0
    assert AuditSubject.objects.count() == 0  # counts are about nobody
    rows, more = confirmation_list.page(office, now, NAME)
    assert {r.person_id for r in rows} == {r["person_id"] for r in wanted}
    assert len(rows) == len(wanted) and not more
    assert AuditSubject.objects.count() == len(wanted)
    elsewhere, _ = confirmation_list.page(office, now, "single_parent_allowance")  # not this office's
    assert elsewhere == []


@pytest.mark.parametrize("role", ["steering", "caseworker", "data_owner", "analyst", "it", "auditor"])
def test_other_roles_have_no_such_list(role: str, now: Served, actor_for: Make) -> None:
    with pytest.raises(NotPermitted, match="K701"):
        confirmation_list.board(actor_for(role), now)
    with pytest.raises(NotPermitted, match="K701"):
        confirmation_list.export(actor_for(role), now, NAME, kind="csv", now=timezone.localtime())


def test_the_file_holds_exactly_the_list_and_is_recorded(now: Served, office: Actor) -> None:
    when = timezone.localtime()
    with zipfile.ZipFile(io.BytesIO(confirmation_list.export(office, now, NAME, kind="xlsx", now=when))) as book:
        rows = book.read("xl/worksheets/sheet2.xml").decode().split("<row ")[1:]
    assert len(rows) - 1 == len(open_answers(now.view))
    text = confirmation_list.export(office, now, NAME, kind="csv", now=when).decode("utf-8-sig")
    assert len(text.splitlines()) == len(rows) and text.splitlines()[0].startswith("制度,所管課,氏名")
    outputs = AuditEvent.objects.filter(action=confirmation_list.ACTION)
    assert [e.subjects.count() for e in outputs] == [len(open_answers(now.view))] * 2
