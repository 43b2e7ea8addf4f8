"""Reviewers' words over tonight's groups: what people said beats what the passes found, and reaches no further than they said.

The passes already obey words about a record and a resident. Here the words about two records outside the register are carried
out, those about two residents, and what follows from several words together. Only groups some word speaks about are looked at;
the outcome depends on the records and words alone, not on their order.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute

from kizuki.engine.tables import arrow_schema
from kizuki.link.tables import REVIEW_PAIR
from kizuki.link.words import Bonds, Ref

pc: Any = pyarrow.compute  # its functions are generated at run time; the stubs do not know their overloads
DECISION = "decision"
DOUBT = "decision_conflict"
"""Why a person must look: records said to be one person were given to different residents by the machine."""


def regroup(assignment: pa.Table, bonds: Bonds) -> tuple[pa.Table, pa.Table]:
    """(one row per record with the anchor of its group, as the words have it; new pairs a person must look at).

    `assignment` = source, record_id, anchor_source, anchor_id, rule, weight, state, evidence.
    """
    refs = bonds.refs()
    if not refs:
        return assignment, arrow_schema(REVIEW_PAIR).empty_table()
    concerned = _concerned(assignment, refs)
    work = _Regrouping(assignment.filter(concerned).to_pylist(), bonds)
    rows, doubts = work.done()
    untouched = assignment.filter(pc.invert(concerned))
    made = pa.Table.from_pylist(rows, assignment.schema)
    return pa.concat_tables([untouched, made]), pa.Table.from_pylist(doubts, arrow_schema(REVIEW_PAIR))


def _concerned(assignment: pa.Table, refs: Iterable[Ref]) -> Any:
    """Rows of every group that holds a record some word speaks about (and perhaps a few more: harmless)."""
    keys = pa.array(sorted({record for _, record in refs}), pa.string())
    named = assignment.filter(pc.is_in(assignment["record_id"], value_set=keys))
    return pc.is_in(assignment["anchor_id"], value_set=pc.unique(named["anchor_id"]))


class _Regrouping:
    """The concerned rows, by record, and where each goes."""

    def __init__(self, rows: list[dict[str, Any]], bonds: Bonds) -> None:
        self.bonds = bonds
        self.rows: dict[Ref, dict[str, Any]] = {(r["source"], r["record_id"]): r for r in rows}
        self.place: dict[Ref, Ref] = {}
        self.doubts: list[dict[str, Any]] = []
        self.together: dict[Ref, list[Ref]] = defaultdict(list)
        for ref in sorted(self.rows):
            if ref[0] == bonds.register:
                self.place[ref] = self._holder(ref)
            else:
                self.together[bonds.root(ref)].append(ref)

    def done(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows with their new anchors, and pairs for review."""
        outside = [members for root, members in sorted(self.together.items()) if not self._give_to_resident(root, members)]
        sizes = self._cluster(outside)
        return [self._row(ref, sizes) for ref in sorted(self.rows)], self.doubts

    def _holder(self, resident: Ref) -> Ref:
        """The resident whose row stands for all rows said to be this one person."""
        return min([r for r in self.bonds.residents(resident) if r in self.rows], default=resident)

    def _found(self, ref: Ref) -> Ref:
        """The anchor the passes gave, with residents said to be one taken as one."""
        anchor = (self.rows[ref]["anchor_source"], self.rows[ref]["anchor_id"])
        return self._holder(anchor) if anchor[0] == self.bonds.register else anchor

    def _give_to_resident(self, root: Ref, members: list[Ref]) -> bool:
        said = [r for r in self.bonds.residents(root) if r in self.rows]
        found = {self._found(m) for m in members}
        holders = {self._holder(said[0])} if said else {a for a in found if self._may_hold(a, root)}
        if len(holders) == 1:
            self.place.update(dict.fromkeys(members, holders.pop()))
            return True
        if holders:  # people said these are one person, the passes say two residents: neither guess stands
            self.doubts += [self._doubt(m) for m in members if self._found(m) in holders]
        return False

    def _may_hold(self, anchor: Ref, root: Ref) -> bool:
        return anchor[0] == self.bonds.register and not self.bonds.apart(anchor, root)

    def _doubt(self, ref: Ref) -> dict[str, Any]:
        row = self.rows[ref]
        told = {"resident_id": row["anchor_id"], "reason": DOUBT, "weight": row["weight"], "evidence": row["evidence"]}
        return {"source": ref[0], "record_id": ref[1], **told}

    def _cluster(self, outside: list[list[Ref]]) -> dict[Ref, int]:
        """Groups outside the register: those the passes joined, unless a word parts them; returns each group's size."""
        clusters: dict[Ref, list[Ref]] = {members[0]: list(members) for members in outside}
        home = {ref: members[0] for members in outside for ref in members}
        by_anchor: dict[Ref, list[Ref]] = defaultdict(list)
        for ref in sorted(home):
            if self._found(ref)[0] != self.bonds.register:
                by_anchor[self._found(ref)].append(ref)
        for anchor in sorted(by_anchor):
            seen: list[Ref] = []
            for ref in by_anchor[anchor]:
                into = next((home[s] for s in seen if self._may_meet(clusters[home[s]], clusters[home[ref]])), None)
                if into is not None and into != home[ref]:
                    moving = clusters.pop(home[ref])
                    clusters[into] += moving
                    home.update(dict.fromkeys(moving, into))
                seen.append(ref)
        for members in clusters.values():
            self.place.update(dict.fromkeys(members, min(members)))
        return {min(members): len(members) for members in clusters.values()}

    def _may_meet(self, one: list[Ref], other: list[Ref]) -> bool:
        if one is other:
            return True
        roots = [sorted({self.bonds.root(r) for r in members}) for members in (one, other)]
        return not any(self.bonds.apart(a, b) for a in roots[0] for b in roots[1])

    def _row(self, ref: Ref, sizes: dict[Ref, int]) -> dict[str, Any]:
        row, anchor = self.rows[ref], self.place[ref]
        placed = {**row, "anchor_source": anchor[0], "anchor_id": anchor[1]}
        if anchor[0] == self.bonds.register:
            by_word = anchor != ref if ref[0] == self.bonds.register else self._found(ref) != anchor
        elif sizes[anchor] == 1:
            return placed | {"rule": "single", "weight": None, "state": "single", "evidence": None}
        else:
            by_word = len(self.together[self.bonds.root(ref)]) > 1
        return placed | {"rule": DECISION, "weight": None, "state": "reviewed", "evidence": None} if by_word else placed
