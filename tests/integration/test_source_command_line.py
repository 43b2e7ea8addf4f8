"""`kizuki source` as the contract promises it: JSON shapes and exit codes."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from kizuki.cli.main import app, call
from kizuki.definitions.yaml import read_text

HEADER = "対象年月,児童宛名番号,認定区分,施設,必要時間,階層,滞納月数,欠席日数"


@pytest.fixture
def run(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Run a verb in a home of its own; returns exit code, standard output and standard error."""

    def verb(*words: str) -> tuple[int, str, str]:
        arguments = ["source", words[0], *words[1:], *(["--home", str(tmp_path / "home")])]
        code = call(lambda: app(arguments, standalone_mode=False))
        told = capsysbinary.readouterr()
        return code, told.out.decode("utf-8-sig"), told.err.decode()

    return verb


@pytest.fixture
def month(tmp_path: Path) -> Path:
    path = tmp_path / "childcare_20260131_diff.csv"
    rows = [f"2026/01,{n:010d},2号,園,標準,D1,,1" for n in range(5)] + ["2026/01,77,9号,園,標準,D1,,1", "合計,6"]
    path.write_bytes("\r\n".join([HEADER, *rows, ""]).encode("cp932"))
    return path


def test_the_list_and_the_manifest(run: Any) -> None:
    code, out, _ = run("list", "--json")
    sources = json.loads(out)["sources"]
    assert code == 0
    assert len(sources) == 16
    assert all({"id", "name", "owner", "network", "cadence", "columns"} <= set(s) for s in sources)
    assert run("list")[1].count("\n") == 16
    code, out, _ = run("manifest", "school_life")
    package = json.loads(out)
    assert [r["name"] for r in package["resources"]] == ["school_life-v1", "school_life-v2"]
    fields = {f["name"]: f for f in package["resources"][1]["schema"]["fields"]}
    assert fields["name"]["title"] == "児童生徒氏名"
    assert fields["nurse_visits"]["missingValues"] == [{"value": "", "label": "未入力"}]
    assert fields["sex"]["categories"] == [{"value": "男", "label": "男"}, {"value": "女", "label": "女"}]
    assert package["resources"][0]["schema"]["primaryKey"][0] == "month"
    assert run("manifest", "nothing")[0] == 2


def test_receive_tells_what_became_of_every_line(run: Any, month: Path, tmp_path: Path) -> None:
    code, out, _ = run("receive", str(month), "--source", "childcare", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["status"], told["lines"], told["accepted"], told["quarantined"], told["declared"]) == ("accepted", 8, 5, 1, 2)
    assert {"line", "column", "code", "message"} <= set(told["reasons"][0])
    assert json.loads(run("receive", str(month), "--source", "childcare", "--json")[1])["status"] == "duplicate"
    assert "受領済み" in run("receive", str(month), "--source", "childcare")[1]
    code, out, _ = run("quarantine", told["delivery"], "--json")
    assert json.loads(out)["quarantined"][0]["line"] == 7
    assert month.exists()
    picture = tmp_path / "childcare_20260228_diff.csv"
    picture.write_bytes(b"\x89PNG\r\n")
    code, out, _ = run("receive", str(picture), "--source", "childcare", "--json")
    assert (code, json.loads(out)["status"]) == (4, "refused")
    assert run("receive", str(tmp_path / "nowhere.csv"), "--source", "childcare")[0] == 4
    assert run("receive", str(month))[0] == 2
    assert run("receive", str(month), "--source", "childcare", "--kind", "half")[0] == 2


def test_a_draft_loads_and_receives_its_own_file(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "shien_20260401.csv"
    rows = [
        f'{n:08d},山田　太郎{"" if n % 2 else " "},ﾔﾏﾀﾞ ﾀﾛｳ,平成{n % 20 + 2}年4月1日,{n % 2},"改行\nあり"' for n in range(40)
    ]
    file.write_bytes("\r\n".join(["利用者番号,氏名,フリガナ,生年月日,減免有無,備考", *rows, "合計,40", ""]).encode("cp932"))
    code, text, _ = run("draft", str(file))
    assert code == 0
    fields = {f["名"]: f for f in read_text(text, file).plain()["項目"]}
    ways = {name: fields[name]["整え方"] for name in ("name", "kana", "birth_date")}
    assert ways == {"name": "氏名", "kana": "カナ", "birth_date": "和暦"}
    assert [f["機微"] for f in fields.values()][1:4] == ["本人"] * 3
    assert "主キー: [column_1]" in text
    assert "記録の鍵: [column_1], 氏名: name, カナ: kana, 生年月日: birth_date" in text
    assert "記入率100%" in text
    draft = tmp_path / "draft.yaml"
    draft.write_text(text, encoding="utf-8")
    code, out, _ = run("receive", str(file), "--manifest", str(draft), "--json")
    told = json.loads(out)
    assert (told["status"], told["accepted"], told["quarantined"], told["declared"], told["rows"]) == ("accepted", 80, 0, 2, 40)
    code, out, _ = run("receive", str(file), "--manifest", str(draft), "--json", "--as-of", "2026-04-01")
    assert json.loads(out)["as_of"] == "2026-04-01"
    draft.write_text(re.sub("頻度: .*", "頻度: 毎月", text), encoding="utf-8")
    assert run("receive", str(file), "--manifest", str(draft))[0] == 3
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04")
    assert run("draft", str(tmp_path / "x.zip"))[0] == 4
    assert run("draft", str(tmp_path / "nowhere.csv"))[0] == 4


def test_a_held_file_is_released_or_returned(run: Any, month: Path) -> None:
    month.write_bytes(month.read_bytes().replace("施設".encode("cp932"), "園名".encode("cp932")))
    code, out, _ = run("receive", str(month), "--source", "childcare", "--json")
    delivery = json.loads(out)["delivery"]
    assert (code, json.loads(out)["status"]) == (0, "held")
    assert run("release-held", delivery, "--decision", "R8-1")[0] == 4
    assert json.loads(run("return-held", delivery, "--decision", "出し直し", "--json")[1])["status"] == "returned"
    assert run("return-held", delivery, "--decision", "出し直し")[0] == 2


def test_a_correction_is_made_and_withdrawn(run: Any, month: Path) -> None:
    delivery = json.loads(run("receive", str(month), "--source", "childcare", "--json")[1])["delivery"]
    place = ("--line", "2", "--field", "days_absent", "--reason", "電話で確認")
    assert run("correct", delivery, *place, "--value", "many")[0] == 4
    made = json.loads(run("correct", delivery, *place, "--value", "3", "--json")[1])["correction"]
    assert json.loads(run("undo-correction", made, "--reason", "誤り", "--json")[1])["undoes"] == made
    assert run("correct", "nowhere", *place, "--value", "3")[0] == 2


def test_the_tax_feed_is_switched_on_by_a_signature(run: Any, tmp_path: Path) -> None:
    key = tmp_path / "chief.pem"
    decided = ("switch-on", "municipal_tax", "--decision", "R8-12", "--key", str(key))
    assert run(*decided)[0] == 2
    assert run("new-signer", "chief", "--name", "総括管理主体", "--key", str(key))[0] == 0
    assert run("new-signer", "chief", "--name", "総括管理主体", "--key", str(key))[0] == 2
    assert run(*decided)[0] == 0
    sources = {s["id"]: s["enabled"] for s in json.loads(run("list", "--json")[1])["sources"]}
    assert sources["municipal_tax"]


def test_an_export_is_the_delivery_with_its_states(
    run: Any, month: Path, app_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kizuki.app import release, startup

    events: list[dict[str, Any]] = []
    monkeypatch.setattr(startup, "open_app", lambda home: None)
    monkeypatch.setattr(release, "record_output", lambda actor, action, **told: events.append(told | {"action": action}))
    delivery = json.loads(run("receive", str(month), "--source", "childcare", "--json")[1])["delivery"]
    code, out, _ = run("export", delivery)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [r["days_absent"] for r in rows] == ["1"] * 5
    assert {r["arrears_months_state"] for r in rows} == {"zero"}
    assert (events[0]["action"], events[0]["count"]) == ("source.export", 5)
    target = app_home / "rows.parquet"
    assert run("export", delivery, "--format", "parquet", "--out", str(target))[0] == 0
    assert target.read_bytes()[:4] == b"PAR1"
    assert run("export", delivery, "--format", "xml")[0] == 2
    assert run("export", "nowhere")[0] == 2
