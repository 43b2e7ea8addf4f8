"""Options and answers every verb shares."""

import datetime as dt
import getpass
from pathlib import Path
from typing import Annotated

import typer

from kizuki.app.city_definitions import definitions_of
from kizuki.govern.actor import Actor
from kizuki.terms.errors import UsageError

__all__ = ["AsJson", "Home", "at_terminal", "definitions_of", "parse_day"]

Home = Annotated[Path, typer.Option("--home", help="データの置き場所。")]
AsJson = Annotated[bool, typer.Option("--json", help="結果を JSON で標準出力に書きます。")]


def at_terminal(role: str, purpose: str) -> Actor:
    """Whoever sits at the terminal, in the role a verb is for: the operating system says who they are."""
    login = getpass.getuser()
    return Actor(0, login, login, role, purpose, "cli")


def parse_day(text: str) -> dt.date:
    """A day written YYYY-MM-DD; raises UsageError K403."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as e:
        raise UsageError("K403", "日付を読めません。", "--as-of", "2026-11-20 のように書いてください。") from e
