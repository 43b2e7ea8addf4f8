"""同意文の版: what residents are asked, word by word, and over which scopes; a version never changes once used.

`definitions/base/messages/consent/*.yaml`, one file per version; a city lays its own beside them.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import Field, model_validator

from kizuki.definitions.yaml import Definition, build, read_folder
from kizuki.terms.errors import DefinitionError

FOLDER: Final = Path("messages") / "consent"
SCOPES: Final = ("tax", "programme_name")


class ScopeText(Definition):
    """One thing a consent may cover, as it is asked."""

    name: str = Field(alias="名称", min_length=1)
    explanation: str = Field(alias="説明", min_length=1)


class ConsentText(Definition):
    """One version of the consent text."""

    version: str = Field(alias="ID", pattern=r"^[0-9A-Za-z.\-]{1,32}$")
    since: dt.date = Field(alias="使い始め")
    until: dt.date | None = Field(None, alias="使い終わり", description="この日からは使わない")
    title: str = Field(alias="題", min_length=1)
    body: str = Field(alias="本文", min_length=1)
    scopes: dict[str, ScopeText] = Field(alias="範囲")
    how_to_withdraw: str = Field(alias="撤回の方法", min_length=1)

    @model_validator(mode="after")
    def _known_scopes(self) -> "ConsentText":
        for scope in self.scopes:
            if scope not in SCOPES:
                raise ValueError(f"範囲は {'・'.join(SCOPES)} の中から書いてください（「{scope}」は知りません）。")
        if self.until is not None and self.until <= self.since:
            raise ValueError("「使い終わり」は「使い始め」より後の日にしてください。")
        return self

    def in_force(self, day: dt.date) -> bool:
        """Whether this version is read on `day`."""
        return self.since <= day and (self.until is None or day < self.until)

    @property
    def whole(self) -> str:
        """Everything a resident reads, as one text."""
        scopes = "\n".join(f"・{s.name}：{s.explanation}" for s in self.scopes.values())
        return f"{self.title}\n\n{self.body.rstrip()}\n\n{scopes}\n\n{self.how_to_withdraw}"


def load(folder: Path, overlays: Sequence[Path] = ()) -> dict[str, ConsentText]:
    """Every version by its name; raises DefinitionError naming file and line."""
    return {name: build(ConsentText, node) for name, node in read_folder(folder, overlays).items()}


def in_force(texts: Mapping[str, ConsentText], day: dt.date) -> ConsentText:
    """The version asked on `day`: of those in force the one begun last.

    Raises DefinitionError K670 where there is none: without a text nobody can agree to anything.
    """
    known = [t for t in texts.values() if t.in_force(day)]
    if not known:
        raise DefinitionError(
            "K670",
            "今日使う同意文がありません。",
            str(FOLDER),
            "使い始めの日が今日以前で、使い終わっていない版を一つ用意してください。",
        )
    return max(known, key=lambda t: (t.since, t.version))
