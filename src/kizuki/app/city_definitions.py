"""The definitions in force in one home: what is shipped, with the city's own laid over it."""

from pathlib import Path

from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.definitions.shipped import shipped_definitions


def definitions_of(home: Path) -> Definitions:
    """Shipped definitions overlaid by `<home>/definitions`; raises DefinitionError naming file and line."""
    overlay = home / "definitions"
    return load_definitions(shipped_definitions(), *([overlay] if overlay.is_dir() else []))
