"""How good the linking of the published day is, and learning a new model from it; neither writes anything."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from kizuki.app import stages
from kizuki.app.deliveries import accepted_deliveries
from kizuki.app.linking import History, history, history_sources, link_records, linkage_of, plain
from kizuki.app.snapshot_view import server_of
from kizuki.definitions.linkage import LinkageModel
from kizuki.definitions.loader import Definitions
from kizuki.engine.cache import TableCache
from kizuki.engine.keys import KeyRing
from kizuki.engine.steps import Runner, together
from kizuki.engine.tables import arrow_schema
from kizuki.link.evaluation import Judged, churn, evaluate
from kizuki.link.master import KeyMaster, read_master
from kizuki.link.matching import relearn
from kizuki.link.tables import RESIDENT_CASE
from kizuki.mart.graph import CONFORMED, PERSON_RECORD
from kizuki.terms.errors import InputRefused, RunFailed

TRUTH = ("true_person", "source", "record_id")
SINGLE_PARENTS = "single_parent_allowance"
MOVED_IN_WITHIN = dt.timedelta(days=5 * 365)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What linking reads on one day: every person record, what conformed tables tell beside them, the register's own rows."""

    records: pa.Table
    past: History
    residents: pa.Table | None


def evaluate_linking(home: Path, definitions: Definitions, truth: Path | None, now: dt.datetime) -> dict[str, Any]:
    """The figures of the `link evaluate` verb: linking done again for the published day, held against a known truth.

    Without a file the synthetic city's own truth is used. Only this verb reads a truth; no stage does. `seconds` is the time of
    linking, `id_churn` what linking again changes for the day itself (0 unless code or definitions changed) and what changed
    since the night before. Raises InputRefused K305 (no truth given and the home is no synthetic city), K306 (the file is not
    such a CSV) or K309 (it says two things about a record).
    """
    known = read_truth(home, truth)
    as_of = _published_day(home)
    gathered = gather(home, definitions, as_of, now)
    keys, register = KeyRing.load(home), linkage_of(definitions).rules.register_source
    began = time.perf_counter()
    outcome = link_records(home, keys, definitions, gathered.records, as_of, past=gathered.past)
    seconds = time.perf_counter() - began
    cases = resident_cases(gathered, as_of)
    figures = evaluate(Judged(outcome.link, outcome.review, gathered.records, known, register, cases))
    master = read_master(home, keys, register)
    return {**figures, "id_churn": id_churn(master, outcome.link, as_of), "seconds": round(seconds, 2)}


def id_churn(master: KeyMaster, link: pa.Table, as_of: dt.date) -> dict[str, Any]:
    """Persons changed by linking the day again (`rerun`), and between it and the newest night before it (`previous_night`).

    Null where the key master holds no such night.
    """
    nights = sorted(n for n in pc.unique(master.events["night"]).to_pylist() if n is not None and n <= as_of)
    before = [n for n in nights if n < as_of]
    return {
        "rerun": churn(master.as_of(as_of).links(), link) if nights else None,
        "previous_night": {"night": before[-1].isoformat(), **churn(master.as_of(before[-1]).links(), link)}
        if before
        else None,
    }


def resident_cases(gathered: Gathered, as_of: dt.date) -> pa.Table:
    """Residents by the difficulties a fair linking must not fail: link.tables.RESIDENT_CASE.

    `moved_in`: came from another city within five years; `foreign`: 住民種別 外国人; `renamed`: registered under another name
    before; `single_parent`: parent or child of a 児童扶養手当 record.
    """
    found: dict[str, set[str]] = {"moved_in": set(), "foreign": set()}
    wanted = ["record_id", "resident_from", "previous_address", "resident_type"]
    rows = plain(gathered.residents, wanted).to_pylist() if gathered.residents is not None else []
    since = as_of - MOVED_IN_WITHIN
    for row in rows:
        if row["previous_address"] and row["resident_from"] and row["resident_from"] >= since:
            found["moved_in"].add(row["record_id"])
        if row["resident_type"] == "外国人":
            found["foreign"].add(row["record_id"])
    found["renamed"] = {n for n in gathered.past.former_names["resident_id"].to_pylist() if n}
    parents = gathered.records.filter(pc.equal(gathered.records["source"], pa.scalar(SINGLE_PARENTS, pa.string())))
    found["single_parent"] = {n for n in parents["person_no"].to_pylist() if n}
    cases = [{"name": name, "record_id": r} for name in sorted(found) for r in sorted(found[name])]
    return pa.Table.from_pylist(cases, schema=arrow_schema(RESIDENT_CASE))


def train_model(home: Path, definitions: Definitions, version: str, now: dt.datetime) -> LinkageModel:
    """A new model from the published day's records that carry a resident's number; nothing is replaced."""
    as_of = _published_day(home)
    gathered = gather(home, definitions, as_of, now)
    synthetic = "合成都市" if (home / stages.SYNTHETIC_MARK).exists() else "市の記録"
    told = f"{synthetic}（{as_of.isoformat()} 時点）で、宛名番号の一致した組から"
    return relearn(gathered.records, linkage_of(definitions), version=version, trained_on=told)


def gather(home: Path, definitions: Definitions, as_of: dt.date, now: dt.datetime) -> Gathered:
    """The person records of a day, from the step cache where a run has made them."""
    keys = KeyRing.load(home)
    night = stages.Night(home, keys, definitions, as_of, now, Runner(TableCache(home / "cache", keys)), lambda text: None)
    night.deliveries = accepted_deliveries(home, until=as_of)
    stages.cleanse(night)
    records = together([night.runner.load(PERSON_RECORD.format(s)) for s in night.sources])
    conformed: Mapping[str, pa.Table] = {
        s: night.runner.load(CONFORMED.format(s)) for s in history_sources(definitions) if s in night.sources
    }
    residents = conformed.get(linkage_of(definitions).rules.register_source)
    return Gathered(records, history(definitions, conformed), residents)


def read_truth(home: Path, path: Path | None) -> pa.Table:
    """A truth CSV (true_person, source, record_id; any order, other columns ignored); raises as `evaluate_linking` says.

    Rows with a blank in one of the three say nothing and are left out; ids are texts, zeros in front kept.
    """
    if path is None and not (home / stages.SYNTHETIC_MARK).exists():
        raise InputRefused(
            "K305", "正解のファイルがありません。", "--truth", "true_person, source, record_id の列を持つCSVを示してください。"
        )
    chosen = path or home / "truth" / "people.csv"
    texts = pacsv.ConvertOptions(
        include_columns=list(TRUTH), column_types=dict.fromkeys(TRUTH, pa.string()), strings_can_be_null=False
    )
    quoted = pacsv.ParseOptions(newlines_in_values=True)
    try:
        read = pacsv.read_csv(chosen, parse_options=quoted, convert_options=texts)
    except (OSError, pa.ArrowException, KeyError) as e:
        raise _not_a_truth(chosen) from e
    for name in TRUTH:
        read = read.set_column(read.column_names.index(name), name, pc.utf8_trim_whitespace(read[name]))
    told = read.group_by(list(TRUTH)).aggregate([])
    for name in TRUTH:
        told = told.filter(pc.not_equal(told[name], pa.scalar("", pa.string())))
    if not told.num_rows:
        raise _not_a_truth(chosen)
    if told.group_by(list(TRUTH[1:])).aggregate([]).num_rows < told.num_rows:
        fix = "一つの記録（source, record_id）には、一人の true_person だけを書いてください。"
        raise InputRefused("K309", "正解のファイルに、同じ記録が別の人として書かれています。", chosen.name, fix)
    return told.select(list(TRUTH)).sort_by([("source", "ascending"), ("record_id", "ascending")])


def _not_a_truth(path: Path) -> InputRefused:
    fix = "UTF-8のCSVで、true_person, source, record_id の列と、1行以上の記録が要ります。"
    return InputRefused("K306", "正解のファイルを読めません。", path.name, fix)


def _published_day(home: Path) -> dt.date:
    store = server_of(home).store
    current = store.current_id()
    if current is None:
        raise RunFailed("K401", "公開されたデータがまだありません。", home.name, "kizuki run を実行してください。")
    return dt.date.fromisoformat(store.manifest(current).as_of)
