"""G3 at the first stage: what was known on day D never depends on what arrived later; history against an oracle."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kizuki.cleanse.conform import Delivery, conform
from kizuki.cleanse.corrections import COLUMNS
from kizuki.definitions.sources import Field, SourceManifest

ORIGIN = dt.date(2026, 1, 1)
FEW = settings(deadline=None, max_examples=40)


def field(name: str, type_: str, **more: object) -> Field:
    return Field.model_validate({"名": name, "見出し": name, "型": type_, "機微": "福祉", **more})


MANIFEST = SourceManifest.model_validate(
    {
        "ID": "small", "名称": "小", "所管": "課", "系統": "系", "法的根拠": "条例", "利用目的": "試験", "頻度": "毎月",
        "猶予日数": 5, "保存日数": 100, "届け方": "全件と差分",
        "ファイル名": r"small_(?P<as_of>\d{8})_(?P<kind>full|diff)\.csv",
        "様式": [{"ID": "v1", "文字コード": "UTF-8"}], "主キー": ["person_no", "kind"],
        "人の記録": [{"役割": "本人", "記録の鍵": ["person_no"], "宛名番号": "person_no"}],
        "項目": [
            field("person_no", "文字", 必須="はい", 整え方="番号10桁").model_dump(by_alias=True),
            field("kind", "文字", 必須="はい").model_dump(by_alias=True),
            field("days", "整数", 空欄="ゼロ").model_dump(by_alias=True),
        ],
    }
)  # fmt: skip


@dataclass(frozen=True)
class File:
    day: int
    full: bool
    rows: tuple[tuple[str, str, str], ...]


ROW = st.tuples(
    st.sampled_from(["1", "01", "2", "0000000002"]), st.sampled_from(["a", "b"]), st.sampled_from(["", "0", "1", "\uff11", "2"])
)
FILES = st.lists(
    st.builds(File, st.integers(0, 4), st.booleans(), st.lists(ROW, max_size=4).map(tuple)), min_size=1, max_size=6
)
CORRECTIONS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(2, 5), st.sampled_from(["", "1", "9", "x"]), st.integers(0, 5)), max_size=3
)


def landing(rows: Sequence[tuple[str, str, str]]) -> pa.Table:
    columns = {"_line": pa.array(range(2, len(rows) + 2), pa.int32())}
    for place, name in enumerate(("person_no", "kind", "days")):
        columns[name] = pa.array([r[place] for r in rows], pa.string()).dictionary_encode()
    return pa.table(columns)


def deliveries(files: Sequence[File]) -> list[Delivery]:
    return [
        (f"d{i}", ORIGIN + dt.timedelta(days=f.day), "full" if f.full else "diff", landing(f.rows)) for i, f in enumerate(files)
    ]


def overlay(corrections: Sequence[tuple[int, int, str, int]]) -> pa.Table:
    rows = [
        {"delivery_id": f"d{d}", "line": line, "field": "days", "value": v, "corrected_on": ORIGIN + dt.timedelta(days=day)}
        for d, line, v, day in corrections
    ]
    return pa.Table.from_pylist(rows, pa.schema(COLUMNS))


def known(table: pa.Table, day: dt.date) -> list[dict[str, object]]:
    """Rows known by the end of `day`, their later ends not yet known."""
    rows = [r for r in table.to_pylist() if r["known_from"] <= day]
    for row in rows:
        if row["known_to"] is not None and row["known_to"] > day:
            row["known_to"] = None
    return sorted(rows, key=repr)


@FEW
@given(FILES, CORRECTIONS, st.integers(0, 5))
@example([File(1, False, (("1", "a", "0"),)), File(0, False, (("1", "a", "0"),))], [(0, 2, "", 0)], 0)  # made before its file
def test_later_deliveries_and_corrections_do_not_change_what_was_known(
    files: list[File], corrections: list[tuple[int, int, str, int]], day: int
) -> None:
    until = ORIGIN + dt.timedelta(days=day)
    sent = deliveries(files)
    everything = conform(MANIFEST, sent, overlay(corrections))
    then = conform(MANIFEST, [d for d in sent if d[1] <= until], overlay([c for c in corrections if c[3] <= day]))
    assert known(everything, until) == known(then, until)


@FEW
@given(FILES)
def test_what_is_known_on_each_day_is_what_the_files_said(files: list[File]) -> None:
    table = conform(MANIFEST, deliveries(files))
    said: dict[tuple[str, str], str] = {}
    for day in range(6):
        today = [f for f in files if f.day == day]
        told = {(n.zfill(10)[-10:], k): d for f in today for n, k, d in f.rows}
        said = told if any(f.full for f in today) else said | told
        now = ORIGIN + dt.timedelta(days=day)
        rows = [r for r in table.to_pylist() if r["known_from"] <= now and (r["known_to"] is None or r["known_to"] > now)]
        assert {(r["person_no"], r["kind"]): (r["days"], r["days_state"]) for r in rows} == {
            key: (int(d or 0), "known" if d else "zero") for key, d in said.items()
        }
        assert len(rows) == len(said)


@FEW
@given(FILES)
def test_a_file_delivered_again_or_reordered_within_itself_changes_nothing(files: list[File]) -> None:
    single = [File(f.day, f.full, tuple({r[:2]: r for r in f.rows}.values())) for f in files]
    once = conform(MANIFEST, deliveries(single)).drop(["delivery_id", "line"])
    again = conform(MANIFEST, [d for d in deliveries(single) for _ in range(2)]).drop(["delivery_id", "line"])
    assert sorted(map(repr, once.to_pylist())) == sorted(map(repr, again.to_pylist()))


@FEW
@given(FILES)
def test_versions_of_one_record_never_overlap_and_neighbours_differ(files: list[File]) -> None:
    versions: dict[str, list[dict[str, object]]] = {}
    for row in conform(MANIFEST, deliveries(files)).to_pylist():
        versions.setdefault(row["record_key"], []).append(row)
    for rows in versions.values():
        rows.sort(key=lambda r: r["known_from"])  # type: ignore[arg-type,return-value]
        for before, after in pairwise(rows):
            assert before["known_to"] is not None and before["known_to"] <= after["known_from"]  # type: ignore[operator]
            touching = before["known_to"] == after["known_from"]
            assert not touching or (before["days"], before["days_state"]) != (after["days"], after["days_state"])
