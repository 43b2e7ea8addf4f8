"""The definitions in force in one home: what is shipped, the profile the home follows, and the city's own laid over both."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from kizuki.cleanse.gaiji import GaijiTable, load_gaiji
from kizuki.cleanse.variants import load_own_table
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.definitions.profiles import PROFILE_FILE, apply_profile, chosen_profile, load_profile
from kizuki.definitions.shipped import shipped_definitions, shipped_profiles
from kizuki.definitions.yaml import read_folder

GAIJI, VARIANTS = "外字.csv", "異体字.csv"
"""Files of the city's own tables in `<home>/definitions`: private characters per source, and which characters count as one."""


@dataclass(frozen=True)
class WritingTables:
    """The city's own tables of characters. `version` changes with their content."""

    gaiji: Mapping[str, GaijiTable] = field(default_factory=dict)
    variants: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def version(self) -> str:
        """A mark of the content, for steps that must run again when a table changes."""
        told = [sorted((s, *pair) for s, table in self.gaiji.items() for pair in table.items()), sorted(self.variants.items())]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def writing_tables(home: Path) -> WritingTables:
    """The 外字表 and 異体字表 of a home, empty where there is none; raises DefinitionError K201 or K202 naming the line."""
    gaiji, variants = home / "definitions" / GAIJI, home / "definitions" / VARIANTS
    return WritingTables(
        load_gaiji(gaiji) if gaiji.is_file() else {},
        load_own_table(variants) if variants.is_file() else {},
    )


def definitions_of(home: Path) -> Definitions:
    """Shipped definitions overlaid by the chosen profile and `<home>/definitions`.

    Raises DefinitionError naming file and line.
    """
    overlay = home / "definitions"
    own = [overlay] if overlay.is_dir() else []
    name = chosen_profile(overlay)
    if not name:
        return load_definitions(shipped_definitions(), *own)
    profile = load_profile(shipped_profiles(), name)
    loaded = load_definitions(shipped_definitions(), shipped_profiles() / name, *own)
    shipped = {c for layer in (shipped_definitions(), shipped_profiles() / name) for c in read_folder(layer / "criteria")}
    # a set the city wrote itself is one it wants judged, though no profile could know of it
    written = tuple(c for c in loaded.criteria if c not in shipped and c not in profile.difficulties)
    return apply_profile(loaded, profile.model_copy(update={"difficulties": (*profile.difficulties, *written)}))


def follow_profile(home: Path, name: str) -> None:
    """Make the home follow a shipped profile; raises DefinitionError K808 if there is none of that name."""
    load_profile(shipped_profiles(), name)
    folder = home / "definitions"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PROFILE_FILE).write_text(f"プロファイル: {name}\n", encoding="utf-8")


def profile_of(home: Path) -> str:
    """The profile the home follows; empty for none."""
    return chosen_profile(home / "definitions")
