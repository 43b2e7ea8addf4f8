"""閾値設計・公平性・説明書・中程度の抽出: who may, what is said when nothing is known, what is kept back."""

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from kizuki.app import demo_users
from kizuki.app.aggregate import suppressed
from kizuki.app.backtest_results import keep, kept
from kizuki.app.criteria_board import definitions_now
from kizuki.app.criteria_editing_checks import check
from kizuki.app.learned_watch import all_stopped, digest_of
from kizuki.judge.point_table import NUMBER, ItemTable, PointTable
from kizuki.records.models import AuditEvent, Case, CriteriaDraft, MiddleBandDraw, MiddleBandPick, User
from tests.marked_city import MarkedView

pytestmark = pytest.mark.django_db
PAGES = ("/validation/", "/validation/thresholds/", "/validation/fairness/", "/validation/sheet/")
SetIn = Callable[[str], Client]


@pytest.fixture
def signed_in(marked_city: MarkedView, settings: Any, client: Client) -> SetIn:
    settings.KIZUKI_DEMO = True
    demo_users.ensure_demo_users(True)

    def enter(role: str) -> Client:
        assert client.post("/demo/", {"role": role}).status_code == 302
        client.get("/docs/")
        return client

    return enter


def result(**more: Any) -> dict[str, Any]:
    """A back-test of poverty with one capacity."""
    promised = {"precision": 0.2, "recall": 0.5, "precision_interval": [0.16, 0.24], "recall_interval": [0.4, 0.6]}
    promised["ties"] = {"worst": 55.0, "expected": 60.0, "best": 66.0, "above": 290.0, "tied": 20.0}
    benefit = [{"worth": 0.1, "learned": 3.0, "staff": 2.0, "none": 0.0}]
    step = {"n": 300, "staff": promised, "learned": promised, "households": 260.0, "benefit": benefit}
    head = {"criteria": "poverty", "version": "2026.1", "as_of": "2026-11-20", "events": 120, "empty": ""}
    return (
        head | {"method": "hybrid", "refused": [], "steps": [step], "fairness": {}, "table": None, "sheet": "# 説明書"} | more
    )


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", ["caseworker", "it", "auditor", "data_owner"])
def test_only_those_who_set_criteria_may_see_them(signed_in: SetIn, role: str, path: str) -> None:
    assert signed_in(role).get(path).status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_a_new_city_gets_a_sentence_and_no_number(signed_in: SetIn, path: str) -> None:
    text = page(signed_in("steering"), path)
    assert "まだ検証していません" in text
    assert "人中およそ" not in text and "100人" not in text
    assert AuditEvent.objects.filter(action="validation.view").exists()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_heading_of_its_own(signed_in: SetIn, app_home: Path, path: str) -> None:
    keep(app_home, result(sheet="# 説明書\n\n## 1 目的\n\n見守り"))
    text = page(signed_in("steering"), f"{path}?criteria=poverty")
    assert text.count("<h1") == 1
    assert ("見守り" in text) is path.endswith("sheet/")


def test_the_promise_is_in_whole_people(signed_in: SetIn, app_home: Path) -> None:
    keep(app_home, result())
    text = page(signed_in("steering"), "/validation/thresholds/?criteria=poverty&monthly=25")
    assert "300人中およそ60人（48〜72人）" in text
    assert "悪くて55人・ならして60.0人・良くて66人" in text
    assert "%" not in re.sub(r"90%|95%", "", re.sub(r"<[^>]+>", "", text))


def test_what_rounds_to_nothing_has_no_sign(signed_in: SetIn, app_home: Path) -> None:
    steps = result()["steps"]
    steps[0]["benefit"][0] |= {"staff": -0.04, "learned": 0.04}
    keep(app_home, result(steps=steps))
    text = page(signed_in("steering"), "/validation/thresholds/?criteria=poverty&monthly=25")
    assert "現場の順 0／学んだ順 0／一覧なし 0" in text and "-0.0" not in text


def test_a_list_worth_less_than_none_is_told_and_written_into_the_draft(signed_in: SetIn, app_home: Path) -> None:
    good, bad = (result()["steps"][0] for _ in range(2))
    good |= {"n": 120}
    bad["benefit"][0] |= {"staff": -1.2}
    keep(app_home, result(steps=[good, bad]))
    client = signed_in("steering")
    text = page(client, "/validation/thresholds/?criteria=poverty&monthly=25")
    assert "月25件の一覧は、純便益が0以下です" in text and "0より大きいのは月10件までです" in text
    assert "勧められません" not in page(client, "/validation/thresholds/?criteria=poverty&monthly=10")
    client.post("/validation/thresholds/propose/", {"criteria": "poverty", "monthly": "25"})
    assert "純便益が0以下" in CriteriaDraft.objects.get().text
    keep(app_home, result(steps=[bad]))
    assert "どの件数でも0を超えません" in page(client, "/validation/thresholds/?criteria=poverty&monthly=25")


def test_fewer_than_thirty_cases_give_no_number(signed_in: SetIn, app_home: Path) -> None:
    keep(app_home, result(events=27, steps=[], empty="過去の該当は27件です。30件に満たないあいだは、見込みの数を出しません。"))
    text = page(signed_in("analyst"), "/validation/thresholds/?criteria=poverty")
    assert "30件に満たないあいだは" in text and "人中およそ" not in text


def test_what_the_sample_does_not_carry_is_not_shown_as_learned(signed_in: SetIn, app_home: Path) -> None:
    keep(app_home, result(refused=["Riley の基準に足りません。"]))
    text = page(signed_in("steering"), "/validation/thresholds/?criteria=poverty")
    assert "学んだ順は示していません：Riley" in text and "学んだ順 +" not in text


@pytest.mark.parametrize("role", ["analyst", "steering"])
def test_the_proposal_is_a_draft_in_the_queue_and_changes_nothing(signed_in: SetIn, app_home: Path, role: str) -> None:
    client = signed_in(role)
    answer = client.post("/validation/thresholds/propose/", {"criteria": "poverty", "monthly": "25"})
    made = CriteriaDraft.objects.get()
    assert answer.status_code == 302 and answer["Location"] == f"/criteria/drafts/{made.pk}/"
    assert (made.criteria, made.base_version, made.status) == ("poverty", "2026.1", "作成中")
    assert made.writers == [User.objects.get(username=role).pk], "who proposed it cannot approve it"
    understood = check(made.text, definitions_now(app_home), made.base_version).criteria
    assert understood is not None and understood.threshold == 1  # the lowest that the small city's list fits
    assert "月25件に収まる最も低い閾値。いまは5点" in understood.text.standing
    assert "閾値設計の提案" in page(client, answer["Location"])
    assert AuditEvent.objects.filter(action="threshold.propose").count() >= 1
    assert not (app_home / "definitions").exists()


def fair(group: str, n: int, **more: Any) -> dict[str, Any]:
    spans = {k: [0.1, 0.3] for k in ("selection_rate", "tpr", "fpr", "fnr", "precision", "e_o")}
    told = {"group": group, "n": n, "events": 40, "selection_rate": 0.2, "tpr": 0.2, "precision": 0.2, "e_o": 1.0}
    return told | {"intervals": spans, "answer": "差は小さい", "why": "差があっても10ポイント以内です。"} | more


def test_small_groups_are_kept_back_with_what_would_give_them_away(signed_in: SetIn, app_home: Path) -> None:
    groups = {
        "nationality": [fair("外国籍", 7), fair("日本国籍", 4321)],
        "sex": [fair("女", 2000), fair("男", 2100, answer="判定できない", why="該当したこどもが足りません。")],
    }
    keep(app_home, result(fairness=groups))
    text = page(signed_in("steering"), "/validation/fairness/?criteria=poverty")
    assert "4,321" not in text and ">7人<" not in text
    assert text.count("人数が少なく、内訳を示しません") == 2
    assert "2,000人" in text and "100人中20人（10〜30）" in text and "判定できない" in text


def test_suppression_hides_a_second_cell_and_tells_zero() -> None:
    assert suppressed({"a": 5, "b": 40, "c": 400}) == {"a", "b"}
    assert suppressed({"a": 5, "b": 6, "c": 400}) == {"a", "b"}
    assert suppressed({"a": 0, "b": 40}) == frozenset()


# 中程度の抽出


def test_a_draw_is_recorded_with_its_probabilities_and_only_once_a_month(signed_in: SetIn) -> None:
    client = signed_in("steering")
    assert client.post("/validation/draw/", {"criteria": "poverty", "wanted": "1"}).status_code == 302
    draw = MiddleBandDraw.objects.get()
    picks = list(draw.picks.all())
    assert draw.band_size == 2 and len(picks) == 1  # c2 and c4 are on no list
    assert picks[0].person_id in ("c2", "c4") and picks[0].inclusion == pytest.approx(0.5)
    assert AuditEvent.objects.filter(action="middle_band.draw").exists()
    again = client.post("/validation/draw/", {"criteria": "poverty", "wanted": "1"}, follow=True)
    assert "今月はもう抽出しています" in again.content.decode()
    assert MiddleBandDraw.objects.count() == 1


@pytest.mark.parametrize("role", ["analyst", "caseworker", "it"])
def test_only_the_steering_office_draws(signed_in: SetIn, role: str) -> None:
    assert signed_in(role).post("/validation/draw/", {"criteria": "poverty", "wanted": "1"}).status_code == 403
    assert not MiddleBandDraw.objects.exists()


def drawn(people: Mapping[str, float], month: str = "2026-11") -> MiddleBandDraw:
    user = User.objects.get(username="steering")
    made = MiddleBandDraw.objects.create(
        criteria="poverty", version="1", month=month, snapshot="marked-1", band_size=40, seed=1, drawn_by=user
    )
    for person, chance in people.items():
        MiddleBandPick.objects.create(draw=made, person_id=person, inclusion=chance)
    return made


def test_the_caseworker_sees_the_child_and_not_the_band(signed_in: SetIn) -> None:
    client = signed_in("caseworker")
    assert client.get("/children/c4/").status_code == 403
    drawn({"c4": 0.2})
    text = page(client, "/candidates/?tab=無作為の確認")
    assert "印c4・person・name印" in text and "無作為の確認" in text
    assert "候補外" not in text and "0.2" not in text
    assert "無作為に選ばれました" in page(client, "/children/c4/")
    Case.objects.create(person_id="c4", status="見送り")
    assert "印c4" not in page(client, "/candidates/?tab=無作為の確認")
    assert client.get("/children/c4/").status_code == 403


def test_no_estimate_before_everybody_drawn_was_looked_into(signed_in: SetIn) -> None:
    client = signed_in("steering")
    drawn({"c2": 0.25, "c4": 0.5})
    Case.objects.create(person_id="c2", status="支援中")
    assert "まだ出しません" in page(client, "/validation/thresholds/?criteria=poverty")
    Case.objects.create(person_id="c4", status="見送り")
    text = page(client, "/validation/thresholds/?criteria=poverty")
    assert "2人のうち1人が支援につながりました" in text and "およそ4人（" in text  # one find at one in four


def test_a_probability_is_a_probability(signed_in: SetIn) -> None:
    signed_in("steering")
    with pytest.raises(IntegrityError):
        drawn({"c2": 1.5})


# 見張り


def learned_table(version: str) -> dict[str, Any]:
    item = ItemTable("x", NUMBER, (1.0,), (), (0.0, 1.0), 0.0)
    facts = {"training": {"shares": {"x": [0.9, 0.1, 0.0]}, "points": {"cuts": [0.5], "shares": [0.9, 0.1]}}}
    return PointTable(version, "hybrid", "y", -3.0, 0.0, 10, (item,), facts).as_dict()


def test_a_stop_is_on_the_board_and_ends_with_a_new_table(signed_in: SetIn, app_home: Path) -> None:
    keep(app_home, result(table=learned_table("first")))
    found = kept(app_home, "poverty")
    assert found is not None
    note = {"digest": digest_of(found), "checked_at": dt.datetime.now(dt.UTC).isoformat(), "reasons": ["空欄が増えました。"]}
    (app_home / "backtests" / "poverty.watch.json").write_text(json.dumps(note), encoding="utf-8")
    client = signed_in("steering")
    assert "の学んだ表を止めています" in page(client, "/feeds/")
    assert "学んだ順は示していません：データが学んだ時と大きく変わった" in page(
        client, "/validation/thresholds/?criteria=poverty"
    )
    assert "300人中およそ60人" in page(client, "/validation/thresholds/?criteria=poverty")  # the staff's order goes on
    assert set(all_stopped(app_home)) == {"poverty"}
    keep(app_home, result(table=learned_table("second")))
    assert all_stopped(app_home) == {}
