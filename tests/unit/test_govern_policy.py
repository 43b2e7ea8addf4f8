"""The matrix cell by cell, deny by default, and the chain: pure rules without a database."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.definitions import governance as files
from kizuki.definitions.governance import Governance, Scope
from kizuki.definitions.shipped import shipped_definitions
from kizuki.govern import chain
from kizuki.govern.actor import Actor
from kizuki.govern.may import ACTIONS, Refused, may
from kizuki.govern.policy import NOTHING, Origin, Rule, grant_of, origin, readable, sight
from kizuki.govern.seals import Seals, hidden_columns, spread
from kizuki.terms.errors import DefinitionError
from kizuki.terms.tables import ALL_TABLES, Klass

G: Governance = files.load(shipped_definitions() / files.FOLDER)
NAMES = st.sampled_from(sorted({*G.roles, *G.purposes, *ACTIONS, "", "root", "ADMIN"}))

# The whole matrix, written out: a change of roles.yaml must be a change here too (two people, two files).
READS = {
    ("steering", "steering"): "key ident household school childcare benefit judge ops",
    ("data_owner", "source_quality"): "ops",
    ("analyst", "analysis"): "key household tax benefit welfare health abuse school childcare judge ops",
    ("caseworker", "support"): "key ident addr household benefit welfare health abuse school childcare judge ops",
    ("it", "operation"): "ops",
    ("link_reviewer", "linkage_review"): "key ident addr household school ops",
    ("notice_officer", "notice"): "ops",
    ("programme_desk", "notice_desk"): "key ident addr ops",
    ("programme_office", "benefit_check"): "key ident benefit ops",
    ("auditor", "audit"): "ops",
}
SCOPES = {
    "steering": Scope.ALL,
    "analyst": Scope.PSEUDONYMOUS,
    "caseworker": Scope.CANDIDATES,
    "link_reviewer": Scope.REVIEW,
    "programme_desk": Scope.RECIPIENTS,
    "programme_office": Scope.ALL,
}
MAY = {
    "steering": "today.view candidates.view child.view judgement.view feed.view docs.read seal.add grants.view link.quality "
    "handover.approve handover.approve_sealed handover.receive criteria.view criteria.approve criteria.children sheet.view "
    "programme.view programme.approve criteria.stop criteria.stop_ledger review.write labels.export "
    "validation.view threshold.propose middle_band.draw consent.view enquiry.counts effect.view notice.view "
    "notice.approve notice.approve_any notice.stop relay.resume",
    "data_owner": "today.view feed.view docs.read sheet.view correction.answer programme.view notice.view notice.approve "
    "notice.stop",
    "analyst": "today.view feed.view docs.read analysis.run criteria.view criteria.draft sheet.view labels.export "
    "validation.view threshold.propose programme.view",
    "caseworker": "today.view candidates.view candidates.export child.view judgement.view feed.view docs.read case.change "
    "seal.add children.search handover.prepare handover.receive criteria.view sheet.view feedback.write resident.print "
    "programme.view",
    "it": "today.view feed.view docs.read relay.resume",
    "link_reviewer": "today.view feed.view docs.read link.review link.quality",
    "notice_officer": "today.view docs.read consent.view invitation.make enquiry.counts effect.view notice.view notice.prepare "
    "notice.stop",
    "programme_desk": "today.view docs.read consent.view consent.enter invitation.make letter.print enquiry.answer "
    "counter.tell "
    "effect.view",
    "programme_office": "today.view docs.read programme.view programme.draft confirmation.view notice.view notice.approve "
    "notice.stop",
    "auditor": "today.view docs.read audit.view audit.verify sheet.view criteria.stop_ledger",
}


def actor(role: str, purpose: str) -> Actor:
    return Actor(1, "x", "x", role, purpose, "s")


@pytest.mark.parametrize("klass", list(Klass))
@pytest.mark.parametrize("purpose", sorted(G.purposes))
@pytest.mark.parametrize("role", sorted(MAY))
def test_every_cell_of_the_matrix(role: str, purpose: str, klass: Klass) -> None:
    grant = grant_of(G, actor(role, purpose))
    assert readable(grant.classes, klass) == (klass in READS.get((role, purpose), "").split())
    assert grant.scope is (SCOPES.get(role, Scope.NONE) if (role, purpose) in READS else Scope.NONE)


@pytest.mark.parametrize("action", sorted(ACTIONS))
@pytest.mark.parametrize("role", sorted(MAY))
def test_every_action_of_every_role(role: str, action: str) -> None:
    purpose = next(p for r, p in READS if r == role)
    assert bool(may(actor(role, purpose), action, governance=G)) == (action in MAY[role].split())


def test_the_tables_above_cover_all_roles_and_every_action_is_used() -> None:
    assert set(G.roles) == set(MAY) == {r for r, _ in READS}
    assert {a for acts in MAY.values() for a in acts.split()} == set(ACTIONS)
    assert {a for r in G.roles.values() for a in r.actions} <= set(ACTIONS)


@settings(max_examples=50, deadline=None)
@given(role=NAMES, purpose=NAMES, action=NAMES)
def test_what_is_not_written_is_refused(role: str, purpose: str, action: str) -> None:
    asked = actor(role, purpose)
    written = role in G.roles and purpose in G.roles[role].grants
    if not written:
        assert grant_of(G, asked) == NOTHING
    answer = may(asked, action, governance=G)
    assert bool(answer) == (written and action in G.roles[role].actions)
    if isinstance(answer, Refused):
        assert answer.reason and answer.fix and answer.code.startswith("K7")


@settings(max_examples=50, deadline=None)
@given(
    classes=st.frozensets(st.sampled_from(list(Klass))),
    klasses=st.lists(st.sampled_from(list(Klass)), min_size=1, max_size=4),
    source=st.one_of(st.none(), st.integers(), st.sampled_from([*G.source_classes, "new_source"])),
)
def test_a_cell_is_read_only_if_every_part_of_it_is(classes: frozenset[Klass], klasses: list[Klass], source: object) -> None:
    rule = Rule(frozenset(Origin("t", f"c{n}", k) for n, k in enumerate(klasses)))
    seen = sight(G, classes)
    opened = {Klass(k) for k in classes} - {Klass.SEAL, Klass.BY_SOURCE}
    by_source = isinstance(source, str) and G.source_classes.get(source) in opened
    assert seen.reads(rule, source) == all(by_source if k is Klass.BY_SOURCE else k in opened for k in klasses)


def test_every_source_has_a_class() -> None:
    from kizuki.definitions.loader import load_sources

    assert set(load_sources([shipped_definitions()])) <= set(G.source_classes)


@pytest.mark.parametrize("path", ["person.nothing", "nowhere.name", "name", "", "person.", "person.name@x"])
def test_an_unknown_origin_is_an_error(path: str) -> None:
    with pytest.raises(ValueError):
        origin(path)


def test_every_place_column_of_the_mart_is_hidden_by_a_seal() -> None:
    for table in ALL_TABLES.values():
        rules = {c.name: Rule(frozenset({Origin(table.name, c.name, c.klass)})) for c in table.columns}
        hidden = hidden_columns(rules)
        assert hidden >= {c.name for c in table.columns if c.klass is Klass.ADDR or c.name in ("facility", "record_id")}


@settings(max_examples=50, deadline=None)
@given(
    marked=st.frozensets(st.sampled_from("abcdef")),
    homes=st.dictionaries(st.sampled_from("abcdef"), st.frozensets(st.sampled_from("abcdef"))),
    opened=st.frozensets(st.sampled_from("abcdef")),
)
def test_a_seal_covers_the_household_until_a_named_grant(
    marked: frozenset[str], homes: dict[str, frozenset[str]], opened: frozenset[str]
) -> None:
    seals = Seals(spread(marked, homes), opened)
    for person in "abcdef":
        covered = person in marked or any(person in homes.get(m, ()) for m in marked)
        assert seals.closed_to_actor(person) == (covered and person not in opened)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("ident, household, school, childcare", "ident, seal, school, childcare", "seal"),
        ("範囲: 仮名\n        区分: [key", "範囲: 仮名\n        区分: [ident, key", "仮名"),
        ("範囲: すべて", "範囲: 全部", "のいずれか"),
        ("      steering:\n        範囲", "      sales:\n        範囲", "利用目的にありません"),
    ],
)
def test_an_unsound_matrix_is_refused_with_its_place(tmp_path: Path, before: str, after: str, says: str) -> None:
    for path in (shipped_definitions() / files.FOLDER).glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(DefinitionError) as refused:
        files.load(tmp_path)
    assert says in str(refused.value) and ".yaml:" in str(refused.value)


def test_an_overlay_replaces_one_role(tmp_path: Path) -> None:
    (tmp_path / "roles.yaml").write_text("役割:\n  it:\n    操作: [docs.read]\n", encoding="utf-8")
    changed = files.load(shipped_definitions() / files.FOLDER, [tmp_path])
    assert changed.roles["it"].actions == {"docs.read"}
    assert changed.roles["caseworker"] == G.roles["caseworker"]


# the chain


def _chain(key: bytes, bodies: list[str]) -> list[chain.Link]:
    links, prev = [], chain.GENESIS
    for seq, body in enumerate(bodies, start=1):
        value = chain.mac(key, seq, prev, body)
        links.append(chain.Link(seq, body, prev, value))
        prev = value
    return links


@settings(max_examples=50, deadline=None)
@given(bodies=st.lists(st.text(max_size=8), min_size=1, max_size=8), data=st.data())
def test_any_single_change_breaks_the_chain(bodies: list[str], data: st.DataObject) -> None:
    key = b"k" * 32
    links = _chain(key, bodies)
    assert chain.verify(links, key, [chain.Head(links[-1].seq, links[-1].mac)]).ok
    place = data.draw(st.integers(0, len(links) - 1))
    kind = data.draw(st.sampled_from(["edit", "delete", "repeat", "cut"]))
    head = chain.Head(links[-1].seq, links[-1].mac)
    changed = list(links)
    if kind == "edit":
        old = changed[place]
        changed[place] = chain.Link(old.seq, old.body + "x", old.prev, old.mac)
    elif kind == "delete":
        del changed[place]
    elif kind == "repeat":
        changed.insert(place, changed[place])
    else:
        del changed[place:]
    assert not chain.verify(changed, key, [head]).ok


def test_heads_that_disagree_are_reported() -> None:
    assert not chain.verify([], b"k" * 32, [chain.Head(3, "a"), chain.Head(3, "b")]).ok
