"""審査の準備: the night's step that lays out what reviewers are asked. Nothing here knows who answered what.

The tables reach a screen only through `release`.
"""

import datetime as dt
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from kizuki.app.linking import HISTORY_COLUMNS, class_years, decisions_version, graded_sources, linkage_of
from kizuki.app.stages import Night
from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.expression.nodes import terms_of
from kizuki.definitions.link_review import ReviewRules
from kizuki.definitions.loader import Definitions
from kizuki.engine.steps import Inputs, Step, code_version, together
from kizuki.engine.tables import arrow_schema, empty
from kizuki.link.master import read_master
from kizuki.link.review import Asked, prepare
from kizuki.link.tables import PAIR
from kizuki.mart.graph import CONFORMED, LINK, PERSON_RECORD
from kizuki.mart.items import sources_read
from kizuki.terms.tables import ALL_TABLES

_PERIODS = {"person": "person.resident", "residence": "residence"}
"""What the register tells of a resident over time: table → the step's name of it."""
_LINK_COLUMNS = ["source", "record_id", "person_id", "rule", "weight", "state"]


def review_rules_of(definitions: Definitions) -> ReviewRules:
    """The city's rules of review."""
    found: ReviewRules = definitions.linkage["review"]
    return found


def review(night: Night) -> int:
    """The pairs people may be asked about, in order, with both sides as written; gives the rows of both tables."""
    sources, register = night.sources, linkage_of(night.definitions).rules.register_source
    given = ("review_pair", "seal", "household_member")
    graded = [s for s in graded_sources(night.definitions) if s in sources]

    def compute(inputs: Inputs) -> Mapping[str, pa.Table]:
        tables = {name: inputs[name] for name in given}
        tables["link"] = together([inputs.of(LINK.format(s), _LINK_COLUMNS) for s in sources])
        tables["register_record"] = inputs[PERSON_RECORD.format(register)]
        tables["decided"] = decided_pairs(night, register)
        asked_of_residents = any(register in tables[name]["source"].to_pylist() for name in ("review_pair", "decided"))
        for name, part in _PERIODS.items():  # large: read only where two residents are to be compared
            tables[name] = inputs[part] if asked_of_residents else empty(ALL_TABLES[name])
        asked = Asked(
            tables=tables,
            class_years=class_years(night.definitions, {s: inputs.of(CONFORMED.format(s), HISTORY_COLUMNS) for s in graded}),
            writings=lambda s: inputs[PERSON_RECORD.format(s)],
            sources=sources,
            evidence_sources=evidence_sources(night.definitions, night.as_of),
            careful_sources=careful_sources(night.definitions),
        )
        return prepare(asked, linkage_of(night.definitions), review_rules_of(night.definitions), night.keys, night.as_of)

    step = Step(
        name="review",
        inputs=(
            *given,
            *_PERIODS.values(),
            *(t.format(s) for s in sources for t in (LINK, PERSON_RECORD)),
            *(CONFORMED.format(s) for s in graded),
        ),
        outputs=("review_case", "review_side", "review_history"),
        version=code_version("kizuki.link"),
        compute=compute,
        params=(night.definitions.version, night.as_of.isoformat(), decisions_version(night.home, night.keys, night.as_of)),
    )
    return night.run([step])


def decided_pairs(night: Night, register: str) -> pa.Table:
    """Every record and resident a reviewer has ever spoken about, so that the word can be looked at again and taken back."""
    events = read_master(night.home, night.keys, register).as_of(night.as_of).events
    words = events.filter(pc.equal(events["kind"], pa.scalar("decide", pa.string())))
    words = words.filter(pc.equal(words["other_source"], pa.scalar(register, pa.string())))
    pairs = words.select(["source", "record_id", "other_record_id"]).rename_columns(list(PAIR.column_names()))
    return pairs.group_by(list(PAIR.column_names())).aggregate([]).cast(arrow_schema(PAIR))


def evidence_sources(definitions: Definitions, day: dt.date) -> frozenset[str]:
    """Sources of the items some criteria set in force reads."""
    sets: Mapping[str, CriteriaSet] = definitions.criteria
    entries = [entry for found in sets.values() if found.in_force(day) for entry in found.entries]
    asked = {term.id for entry in entries for term in terms_of(entry.condition)}
    read = {name: item for name, item in definitions.items.items() if name in asked}
    return frozenset(sources_read(Definitions(definitions.sources, definitions.version, items=read)))


def careful_sources(definitions: Definitions) -> frozenset[str]:
    """Sources whose rows are of a class the city handles with care."""
    classes = review_rules_of(definitions).careful_classes
    return frozenset(s for s, klass in definitions.governance.source_classes.items() if klass in classes)
