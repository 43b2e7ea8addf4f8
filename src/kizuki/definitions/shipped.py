"""Where the definitions that come with the program are."""

from pathlib import Path

import kizuki


def shipped_definitions() -> Path:
    """`definitions/base` of a checkout, or the copy inside an installed wheel."""
    package = Path(kizuki.__file__).resolve().parent
    checkout = package.parents[1] / "definitions" / "base"
    return checkout if checkout.is_dir() else package / "_shipped" / "definitions" / "base"


def shipped_profiles() -> Path:
    """`definitions/profiles`, beside the base."""
    return shipped_definitions().parent / "profiles"
