"""窓あき封筒の手紙: where the window is, who writes, and the fixed words; `definitions/base/messages/desk/letter.yaml`."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Final

from pydantic import Field, model_validator

from kizuki.definitions.yaml import Definition, build, merge, read_yaml
from kizuki.terms.errors import DefinitionError

FILE: Final = Path("messages") / "desk" / "letter.yaml"
PAPER_WIDTH_MM, FOLD_MM = 210.0, 99.0
"""A4, folded in three: what can be seen through the window lies on its first part."""


class Window(Definition):
    """The window on the folded paper, in millimetres from its upper left corner."""

    left: float = Field(alias="左", ge=5)
    top: float = Field(alias="上", ge=5)
    width: float = Field(alias="幅", ge=40)
    height: float = Field(alias="高さ", ge=20)

    @model_validator(mode="after")
    def _on_the_paper(self) -> "Window":
        if self.left + self.width > PAPER_WIDTH_MM - 5 or self.top + self.height > FOLD_MM - 5:
            raise ValueError("窓が、三つ折りにした用紙の最初の面（幅210mm・高さ99mm）からはみ出しています。")
        return self


class LetterForm(Definition):
    """Paper, window, sender and the fixed words of both letters."""

    envelope: str = Field(alias="封筒", min_length=1)
    window: Window = Field(alias="窓")
    sender: str = Field(alias="差出人", min_length=1)
    sender_address: str = Field(alias="差出人の住所", min_length=1)
    phone: str = Field(alias="電話", min_length=1)
    address_of_page: str = Field(alias="返信先", pattern=r"^https://")
    invitation_title: str = Field(alias="案内の題", min_length=1)
    invitation_body: str = Field(alias="案内の本文", min_length=1)
    notice_title: str = Field(alias="お知らせの題", min_length=1)
    notice_body: str = Field(alias="お知らせの本文", min_length=1)


def load(root: Path, overlays: Sequence[Path] = ()) -> LetterForm:
    """The form of `root` with overlays laid over it key by key; raises DefinitionError naming file and line."""
    nodes = [read_yaml(layer / FILE) for layer in (root, *overlays) if (layer / FILE).exists()]
    if not nodes:
        raise DefinitionError(
            "K670", "手紙の定義がありません。", str(root / FILE), "definitions/base/messages を戻してください。"
        )
    return build(LetterForm, reduce(merge, nodes))
