"""The step graph: each step says what it reads and what it gives; only steps whose inputs or code changed are run.

A step's key is the hash of its version (its SQL text or source code), its parameters and the digests of its input tables.
Because inputs count by content, a step that ran again but gave the same table stops the change there.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from kizuki.engine.cache import Entry, TableCache
from kizuki.engine.duck import DuckEngine
from kizuki.engine.encode import in_order
from kizuki.engine.measure import measured, release_memory
from kizuki.engine.sql import DUCKDB, render
from kizuki.engine.tables import shape
from kizuki.terms.tables import TableSchema


class Inputs(Mapping[str, pa.Table]):
    """The input tables of one step, read when asked for and not kept, so that memory holds only what is in use."""

    def __init__(self, cache: TableCache, entries: Mapping[str, Entry]) -> None:
        self._cache = cache
        self._entries = entries

    def __getitem__(self, name: str) -> pa.Table:
        return self._cache.load(self._entries[name])

    def of(self, name: str, columns: Collection[str]) -> pa.Table:
        """An input with only those of `columns` it has, where a step reads few of a large table."""
        return self._cache.load(self._entries[name], columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


@dataclass(frozen=True, slots=True)
class Step:
    """One named computation.

    `inputs` and `outputs` name tables; `version` changes when the code does; `params` is everything else the result
    depends on. `compute` must give the same tables for the same inputs. `alone`: needs the memory for itself.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    version: str
    compute: Callable[[Inputs], Mapping[str, pa.Table]]
    params: tuple[str, ...] = ()
    alone: bool = False

    def key(self, tables: Mapping[str, Entry]) -> str:
        """Hash of all the result depends on; raises KeyError if an input has not been made."""
        parts = [self.name, self.version, *self.params, "inputs", *(f"{n}={tables[n].digest}" for n in self.inputs)]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Done:
    """What happened to one step: `skipped` when its result was already there; `rows` it gave."""

    step: str
    skipped: bool
    rows: int
    seconds: float
    peak_mb: float


@dataclass(slots=True)
class Runner:
    """Runs steps after their inputs, as many side by side as `workers`, and remembers every table by name.

    `on_done` is told of each step, one at a time, as soon as its result is safe on disk.
    """

    cache: TableCache
    on_done: Callable[[Done], None] = lambda done: None
    tables: dict[str, Entry] = field(default_factory=dict)
    workers: int = 2

    def run(self, steps: Sequence[Step]) -> list[Done]:
        """Run what must be run; returns one `Done` per step, in the order they ended.

        A step starts when its inputs are there, the earlier listed first. The first failure is raised when what is running
        has ended; nothing more is started.
        """
        waiting, running, done = list(steps), dict[Future[tuple[dict[str, Entry], Done]], Step](), list[Done]()
        with ThreadPoolExecutor(self.workers) as pool:
            while waiting or running:
                for step in self._ready(waiting, list(running.values())):
                    waiting.remove(step)
                    running[pool.submit(self._run_one, step, step.key(self.tables))] = step
                if not running:
                    missing = sorted({n for step in waiting for n in step.inputs} - self.tables.keys())
                    raise ValueError(f"steps {[s.name for s in waiting]} wait for tables nobody makes: {missing}")
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[future]
                    done.append(self._accept(*future.result()))
        return done

    def load(self, name: str) -> pa.Table:
        """A table by name; raises KeyError if no step made it."""
        return self.cache.load(self.tables[name])

    def _ready(self, waiting: Sequence[Step], running: Sequence[Step]) -> list[Step]:
        ready = [step for step in waiting if self.tables.keys() >= set(step.inputs)]
        if any(step.alone for step in running):
            return []
        beside = [step for step in ready if not step.alone][: self.workers - len(running)]
        return beside if beside or running else ready[:1]

    def _accept(self, found: Mapping[str, Entry], done: Done) -> Done:
        self.tables.update(found)
        self.on_done(done)
        return done

    def _run_one(self, step: Step, key: str) -> tuple[dict[str, Entry], Done]:
        with measured() as usage:
            found = self.cache.lookup(step.name, key)
            skipped = found is not None
            if found is None:
                found = self.cache.store(step.name, key, self._compute(step))
                release_memory()
        rows = sum(e.rows for e in found.values())
        return found, Done(step.name, skipped, rows, usage.seconds, usage.peak_mb)

    def _compute(self, step: Step) -> Mapping[str, pa.Table]:
        made = step.compute(Inputs(self.cache, {name: self.tables[name] for name in step.inputs}))
        if set(made) != set(step.outputs):
            raise ValueError(f"step {step.name} gave {sorted(made)}, declared {sorted(step.outputs)}")
        return made


@dataclass(frozen=True, slots=True)
class Select:
    """One table by one query. `inputs` maps the name the query uses to the table it means, or to the parts of it.

    The query's ORDER BY (plain columns of its result) is carried out on encoded text, which a small machine can hold.
    """

    name: str
    inputs: Mapping[str, str | tuple[str, ...]]
    query: exp.Expression
    schema: TableSchema | None = None
    alone: bool = False

    def step(self) -> Step:
        """The step that runs this query on the embedded engine."""
        return Step(
            name=self.name,
            inputs=tuple(name for tables in self.inputs.values() for name in _names(tables)),
            outputs=(self.name,),
            version=fingerprint(self.query),
            compute=lambda inputs: {self.name: self.compute(inputs)},
            alone=self.alone,
        )

    def step_by(self, column: str, values: Sequence[str]) -> Step:
        """The step that hands the result on in parts, `<name>.<value>` for each value of a column."""
        parts = {f"{self.name}.{value}": value for value in values}

        def compute(inputs: Inputs) -> Mapping[str, pa.Table]:
            table = self.compute(inputs)
            return {part: table.filter(pc.equal(table.column(column), pa.scalar(v))) for part, v in parts.items()}

        return replace(self.step(), outputs=tuple(parts), compute=compute)

    def compute(self, inputs: Inputs) -> pa.Table:
        """The result on the embedded engine, in the order and shape declared."""
        with DuckEngine() as engine:
            for local, tables in self.inputs.items():
                engine.register(local, together([inputs[name] for name in _names(tables)]))
            found = engine.query_encoded(_unordered(self.query))
        return self.shaped(in_order(found, ordering(self.query)))

    def shaped(self, table: pa.Table) -> pa.Table:
        """The result held to its declared schema, where it has one."""
        return shape(table, self.schema) if self.schema else table


def ordering(query: exp.Expression) -> list[str]:
    """The columns a query sorts its result by."""
    order = query.args.get("order")
    return [ordered.this.name for ordered in order.expressions] if order else []


def _unordered(query: exp.Expression) -> exp.Expression:
    bare = query.copy()
    bare.set("order", None)
    return bare


def fingerprint(query: exp.Expression) -> str:
    """A version of a query: changes with its meaning, not with its layout or comments."""
    text = render(query, DUCKDB)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def code_version(*packages: str) -> str:
    """A version of whole packages: changes when any of their source, query or data files does."""
    sum_of_files = hashlib.sha256()
    for package in packages:
        for path, body in _files(files(package), package):
            sum_of_files.update(f"{path}\x1f{len(body)}\x1f".encode() + body)
    return sum_of_files.hexdigest()[:16]


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry, f"{path}/{entry.name}")
        else:
            yield f"{path}/{entry.name}", entry.read_bytes()


def together(parts: Sequence[pa.Table]) -> pa.Table:
    """The rows of all parts; one part is handed on as it is. Text columns may differ in encoding, not in type."""
    return pa.concat_tables(parts, promote_options="permissive") if len(parts) > 1 else parts[0]


def _names(tables: str | tuple[str, ...]) -> tuple[str, ...]:
    return (tables,) if isinstance(tables, str) else tables
