"""Errors staff can act on: a code, what happened, where, what to do — and never a person's value.

Each code has a section in docs/reference/messages.md; `tests/docs` holds both directions.
"""

from dataclasses import dataclass


@dataclass
class KizukiError(Exception):
    """Base of every error shown to staff.

    `code` is K followed by three digits; `what`, `where` and `fix` are Japanese sentences without personal data.
    """

    code: str
    what: str
    where: str = ""
    fix: str = ""

    exit_code = 5

    def __str__(self) -> str:
        lines = [f"[{self.code}] {self.what}"]
        if self.where:
            lines.append(f"  場所：{self.where}")
        if self.fix:
            lines.append(f"  対応：{self.fix}")
        return "\n".join(lines)


class UsageError(KizukiError):
    """Wrong words or options (exit 2)."""

    exit_code = 2


class DefinitionError(KizukiError):
    """A definition file is invalid (exit 3)."""

    exit_code = 3


class InputRefused(KizukiError):
    """Input was refused and nothing changed (exit 4)."""

    exit_code = 4


class RunFailed(KizukiError):
    """The night failed; yesterday's snapshot is still served (exit 5)."""

    exit_code = 5


class NotPermitted(KizukiError):
    """The actor may not do this (exit 6)."""

    exit_code = 6
