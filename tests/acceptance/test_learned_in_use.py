"""From past cases to the list: learned on the city's own history, brought in, approved by another, used by the night, stopped.

The whole way on a synthetic city, through the verbs and the screens a city would use.
"""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from sqlglot import exp

from kizuki.app import demo_users
from kizuki.app.backtest_results import keep, kept
from kizuki.app.criteria_board import definitions_now
from kizuki.app.criteria_editing_files import digest
from kizuki.app.learned_records import adopted_stops, note_stop, record
from kizuki.app.snapshot_view import server_of
from kizuki.records.models import CriteriaDraft
from tests.acceptance.test_demo import _kizuki

pytestmark = pytest.mark.django_db
SET = "absence"
SetIn = Callable[[str], Client]


@pytest.fixture
def signed_in(app_home: Path, settings: Any) -> SetIn:
    settings.KIZUKI_DEMO = True
    demo_users.ensure_demo_users(True)

    def enter(role: str) -> Client:
        client = Client()
        assert client.post("/demo/", {"role": role}).status_code == 302
        return client

    return enter


def kizuki(*words: str) -> None:
    done = _kizuki(*words)
    assert done.returncode == 0, (words, done.stderr[-2000:])


def judged(home: Path) -> tuple[set[str], dict[str, int]]:
    """The versions the served night judged the set with, and the order it gave."""
    view = server_of(home).refresh()
    mine = exp.column("criteria").eq(SET)
    rows = view.cursor().query(exp.select("person_id", "version", "rank").from_("judgement").where(mine)).to_pylist()
    return {r["version"] for r in rows}, {r["person_id"]: r["rank"] for r in rows if r["rank"] is not None}


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def approved(signed_in: SetIn, soon: dt.date) -> CriteriaDraft:
    """The learned table of the set as a version from `soon`: the analyst brings it in, the steering office approves."""
    writer = signed_in("analyst")
    answer = writer.post("/validation/learned/", {"criteria": SET})
    made = CriteriaDraft.objects.get()
    assert answer.status_code == 302 and answer["Location"].endswith(f"/{made.pk}/")
    told = page(writer, answer["Location"])
    assert "検証の記録" in told and "学んだ順の見込み" in told and "現場の順の見込み" in told
    assert "すべての例が期待どおりです" in told
    where = f"{answer['Location']}decide/"
    writer.post(where, {"what": "request", "effective_on": soon.isoformat()})
    writer.post(where, {"what": "approve", "mark": digest(made.text)})
    made.refresh_from_db()
    assert made.status == "承認待ち", "who wrote it cannot approve it"
    signed_in("steering").post(where, {"what": "approve", "mark": digest(made.text)})
    made.refresh_from_db()
    assert made.status == "承認済み"
    return made


def test_a_learned_table_orders_the_list_once_approved_and_no_longer_once_stopped(signed_in: SetIn, app_home: Path) -> None:
    at = ("--home", str(app_home))
    kizuki("demo", "--people", "12000", "--no-serve", "--json", *at)
    kizuki("judge", "backtest", "--criteria", SET, *at)
    soon = dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(days=2)
    staff_version, staff_order = judged(app_home)

    few = kept(app_home, SET)
    assert few is not None and few.told["written"]
    keep(app_home, {**few.told, "events": 29})
    refused = signed_in("analyst").post("/validation/learned/", {"criteria": SET}, follow=True)
    assert "30件に満たない" in refused.content.decode() and not CriteriaDraft.objects.exists()
    keep(app_home, few.told)

    made = approved(signed_in, soon)
    learned = next(v for v in definitions_now(app_home).criteria[SET].versions if v.version == made.version)
    assert record(app_home, learned.text.learned_from) is not None
    kizuki("run", "--as-of", soon.isoformat(), *at)
    versions, order = judged(app_home)
    assert versions == {made.version} and staff_version == {"2026.1"}
    both = [p for p in staff_order if p in order]
    assert sorted(both, key=order.__getitem__) != sorted(both, key=staff_order.__getitem__), "the order is another one"
    assert adopted_stops(app_home) == {}, "a week later the children still look like those learned from"

    child = page(signed_in("steering"), f"/children/{min(order, key=order.__getitem__)}/")
    assert "過去に支援につながったこどもと似ている点" in child and "learned_" not in child
    assert "%" not in child and "％" not in child

    note_stop(app_home, learned.text.learned_from, ["空欄が、学んだ時より大きく増えています。"], "2026-11-20T00:00:00+00:00")
    kizuki("run", "--as-of", soon.isoformat(), *at)
    assert judged(app_home)[0] == {"2026.1"}, "the night goes back to the staff's points"
