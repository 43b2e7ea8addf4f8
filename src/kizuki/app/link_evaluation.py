"""How good the linking of the published day is, and learning a new model from it; neither writes anything."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from kizuki.app import stages
from kizuki.app.deliveries import accepted_deliveries
from kizuki.app.linking import History, history, history_sources, link_records, linkage_of
from kizuki.app.snapshot_view import server_of
from kizuki.definitions.linkage import LinkageModel
from kizuki.definitions.loader import Definitions
from kizuki.engine.cache import TableCache
from kizuki.engine.keys import KeyRing
from kizuki.engine.steps import Runner, together
from kizuki.link.evaluation import evaluate
from kizuki.link.matching import relearn
from kizuki.mart.graph import CONFORMED, PERSON_RECORD
from kizuki.terms.errors import InputRefused, RunFailed

TRUTH = ("true_person", "source", "record_id")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What linking reads on one day: every person record, and what the conformed tables tell beside them."""

    records: pa.Table
    past: History


def evaluate_linking(home: Path, definitions: Definitions, truth: Path | None, now: dt.datetime) -> dict[str, Any]:
    """The figures of the `link evaluate` verb: linking done again for the published day, held against a known truth.

    Without a file the synthetic city's own truth is used. Only this verb reads a truth; no stage does. Raises InputRefused
    K305 (no truth given and the home is no synthetic city) or K306 (the file is not such a CSV).
    """
    known = read_truth(home, truth)
    as_of = _published_day(home)
    gathered = gather(home, definitions, as_of, now)
    began = time.perf_counter()
    outcome = link_records(home, KeyRing.load(home), definitions, gathered.records, as_of, past=gathered.past)
    seconds = time.perf_counter() - began
    register = linkage_of(definitions).rules.register_source
    figures = evaluate(outcome.link, known, gathered.records, outcome.review, register)
    return {**figures, "seconds": round(seconds, 2)}


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
    return Gathered(records, history(definitions, conformed))


def read_truth(home: Path, path: Path | None) -> pa.Table:
    """A truth CSV (true_person, source, record_id); see `evaluate_linking` for what it raises."""
    if path is None and not (home / stages.SYNTHETIC_MARK).exists():
        raise InputRefused(
            "K305", "正解のファイルがありません。", "--truth", "true_person, source, record_id の列を持つCSVを示してください。"
        )
    chosen = path or home / "truth" / "people.csv"
    texts = pacsv.ConvertOptions(include_columns=list(TRUTH), column_types=dict.fromkeys(TRUTH, pa.string()))
    try:
        return pacsv.read_csv(chosen, convert_options=texts)
    except (OSError, pa.ArrowException, KeyError) as e:
        fix = "UTF-8のCSVで、true_person, source, record_id の列が要ります。"
        raise InputRefused("K306", "正解のファイルを読めません。", chosen.name, fix) from e


def _published_day(home: Path) -> dt.date:
    store = server_of(home).store
    current = store.current_id()
    if current is None:
        raise RunFailed("K401", "公開されたデータがまだありません。", home.name, "kizuki run を実行してください。")
    return dt.date.fromisoformat(store.manifest(current).as_of)
