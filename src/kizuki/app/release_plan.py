"""Compiles a declared read into the SQL one kind of actor runs: scoped at the base tables, unreadable columns never fetched.

What an output column is made from is not believed but derived from the SQL itself (lineage), so a wrong declaration can only
hide more, never show more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from sqlglot import exp
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from kizuki.engine.sql import DUCKDB, load, render
from kizuki.govern.policy import Origin, Rule, origin
from kizuki.terms.tables import ALL_TABLES, Klass

SCOPE_TABLE = "kizuki_scope"
EXTRA = "_extra_persons"
SEALED = "_sealed_persons"
AT_HAND, IN_SCOPE = "at_hand", "scope"

_SCHEMA: dict[str, object] = {t.name: {c.name: "VARCHAR" for c in t.columns} for t in ALL_TABLES.values()}
_KINSHIP = "kinship"
_OF_CRITERIA = frozenset(t.name for t in ALL_TABLES.values() if "criteria" in t.column_names())
_WITH_PERSON = frozenset(t.name for t in ALL_TABLES.values() if "person_id" in t.column_names())
_BY_SOURCE = frozenset(t.name for t in ALL_TABLES.values() if any(c.klass is Klass.BY_SOURCE for c in t.columns))


_DECLARED: "list[Query]" = []


@dataclass(frozen=True)
class Query:
    """One declared read: `app/sql/<name>.sql`, a single SELECT over snapshot tables with parameters `$x`.

    `columns` maps each output column to the `table.column` it comes from, which decides its class (`-` = a count or a fixed
    word); classes found in the SQL by lineage are added to it. A BY_SOURCE column is decided row by row through the output
    column `source`. `subject` = the output column holding person_id; None only when no personal rows come out. `kin`: rows of
    those related to the persons named, who live elsewhere, come out too, with what the grant shows (世帯外の親族の区分).
    """

    name: str
    tables: tuple[str, ...]
    columns: Mapping[str, str]
    subject: str | None
    kin: bool = False

    def __post_init__(self) -> None:
        _DECLARED.append(self)

    def __hash__(self) -> int:
        return hash((self.name, self.subject))


@dataclass(frozen=True, slots=True)
class Limits:
    """What an actor's SQL is confined to: readable sources and columns, persons, whether sealed persons are left out, and the
    criteria sets under 緊急停止, of which no row comes out.

    `persons`: "scope" = the scope table and a list; "at_hand" = whoever is in the tables (everybody, or only the named persons
    and their households: `near_tables`).
    """

    sources: frozenset[str]
    readable: frozenset[str]
    persons: str
    without_sealed: bool
    stopped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a query is, derived from its SQL: the rule of each output column, and what each parameter is compared with."""

    rules: Mapping[str, Rule]
    compared: Mapping[str, frozenset[Origin]] = field(default_factory=dict)

    @property
    def names_persons(self) -> frozenset[str]:
        """Parameters that name persons."""
        return frozenset(p for p, found in self.compared.items() if any(o.column == "person_id" for o in found))


@cache
def facts(query: Query) -> Facts:
    """Check the declaration against the SQL and derive the rules; raises ValueError on a declaration that does not fit."""
    tree = _tree(query)
    tables = {t.name for t in tree.find_all(exp.Table)} - {c.alias for c in tree.find_all(exp.CTE)}
    if tables != set(query.tables) or not tables <= set(ALL_TABLES):
        raise ValueError(f"{query.name}: declared tables {sorted(query.tables)}, the SQL reads {sorted(tables)}")
    if list(query.columns) != tree.named_selects:
        raise ValueError(f"{query.name}: declared columns differ from the SQL's {tree.named_selects}")
    if query.subject is not None and query.subject not in query.columns:
        raise ValueError(f"{query.name}: subject is not an output column")
    rules = _rules(query, tree)
    if query.subject is None and any(o.klass is not Klass.OPS for r in rules.values() for o in r.origins):
        raise ValueError(f"{query.name}: personal columns need a subject")
    return Facts(rules, _compared(tree, tables))


def prepare() -> None:
    """Check every declared query now instead of at its first use."""
    for query in _DECLARED:
        facts(query)


@cache
def sql(query: Query, limits: Limits) -> str:
    """The text one kind of actor runs."""
    tree = _tree(query).copy()
    ctes = {c.alias for c in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        conditions = [] if table.name in ctes else list(_confined(table.name, limits))
        if conditions:
            inner = exp.select("*").from_(exp.to_table(table.name)).where(*conditions)
            table.replace(inner.subquery(table.alias_or_name))
    if limits.readable >= set(query.columns):
        return render(tree, DUCKDB)
    outputs = [exp.column(c) if c in limits.readable else exp.alias_(exp.null(), c) for c in query.columns]
    return render(exp.select(*outputs).from_(tree.subquery("released")), DUCKDB)


@cache
def parameters(query: Query) -> frozenset[str]:
    """Names of the parameters the SQL uses."""
    return frozenset(_name(p) for p in load("kizuki.app", query.name).find_all(exp.Placeholder, exp.Parameter))


def _confined(table: str, limits: Limits) -> Iterator[exp.Expression]:
    if table in _BY_SOURCE:
        allowed: list[exp.Expression] = [exp.Literal.string(s) for s in sorted(limits.sources)]
        allowed = allowed or [exp.null()]
        yield exp.column("source").isin(*allowed)
    if table in _WITH_PERSON and limits.persons == IN_SCOPE:
        yield _in_scope(table)
    if table == _KINSHIP:
        yield _no_way_to_the_sealed()
    if table in _OF_CRITERIA and limits.stopped:
        stopped = [exp.Literal.string(s) for s in sorted(limits.stopped)]
        yield exp.not_(exp.column("criteria").isin(*stopped))
    if table in _WITH_PERSON and limits.without_sealed:
        yield exp.not_(exp.In(this=exp.column("person_id"), field=exp.Placeholder(this=SEALED)))


def _no_way_to_the_sealed() -> exp.Paren:
    """A relation that leads to a sealed person of another household does not come out: not even that they live in this city."""
    hidden = exp.In(this=exp.column("related_id"), field=exp.Placeholder(this=SEALED))
    return exp.paren(exp.or_(exp.column("together"), exp.not_(hidden)))


def _in_scope(table: str) -> exp.Paren:
    scope = exp.select("person_id").from_(SCOPE_TABLE)
    listed = exp.In(this=exp.column("person_id"), field=exp.Placeholder(this=EXTRA))
    person = exp.paren(exp.or_(exp.column("person_id").isin(query=scope), listed))
    if table != "eligibility":
        return person
    # a programme answered for a whole household has no person: it belongs to whoever of the scope lives there
    home = exp.select("household_id").from_("household_member").where(person.copy())
    whole_home = exp.and_(exp.column("person_id").is_(exp.null()), exp.column("household_id").isin(query=home))
    return exp.paren(exp.or_(whole_home, person))


def _tree(query: Query) -> exp.Select | exp.SetOperation:
    tree = load("kizuki.app", query.name)
    if not isinstance(tree, exp.Select | exp.SetOperation):
        raise ValueError(f"{query.name}: not a SELECT")
    return tree


def _rules(query: Query, tree: exp.Expression) -> dict[str, Rule]:
    qualified = qualify(tree.copy(), schema=_SCHEMA, dialect=DUCKDB, identify=False, quote_identifiers=False)
    scope = build_scope(qualified)
    rules = {}
    for output, declared in query.columns.items():
        leaves = _leaves(lineage(output, qualified, _SCHEMA, scope=scope, dialect=DUCKDB, copy=False, trim_selects=False))
        said = origin(declared)
        rules[output] = Rule(frozenset(leaves | ({said} if said is not None else set())))
    return rules


def _leaves(root: Node) -> set[Origin]:
    found = set()
    for node in root.walk():
        if not node.downstream and isinstance(node.source, exp.Table):
            found.add(_known(node.source.name, node.name.rpartition(".")[2].strip('"')))
    return found


def _known(table: str, column: str) -> Origin:
    known = origin(f"{table}.{column}")
    assert known is not None
    return known


def _compared(tree: exp.Expression, tables: set[str]) -> dict[str, frozenset[Origin]]:
    """Columns each parameter is compared with, by name over all tables read (more rather than fewer)."""
    by_name: dict[str, set[Origin]] = {}
    for table in tables:
        for column in ALL_TABLES[table].columns:
            by_name.setdefault(column.name, set()).add(Origin(table, column.name, column.klass))
    for alias in tree.find_all(exp.Alias):
        made_from = {o for c in alias.find_all(exp.Column) for o in by_name.get(c.name, ())}
        by_name.setdefault(alias.alias, set()).update(made_from)
    compared: dict[str, set[Origin]] = {}
    for parameter in tree.find_all(exp.Placeholder, exp.Parameter):
        test = parameter.find_ancestor(exp.Predicate, exp.In, exp.Select)
        names = () if test is None or isinstance(test, exp.Select) else (c.name for c in test.find_all(exp.Column))
        compared.setdefault(_name(parameter), set()).update(o for n in names for o in by_name.get(n, ()))
    return {name: frozenset(found) for name, found in compared.items()}


def _name(parameter: exp.Expression) -> str:
    return parameter.name if isinstance(parameter.this, str) else str(parameter.this.name)
