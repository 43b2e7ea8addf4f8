"""The words of a notice: which text is in force, what it says of a programme, and the name the relay knows it by.

A text leaves with the office's telephone and, if it names the programme, its name filled in; `{リンク}` stays for the relay.
The relay sees an opaque number (`t-` and hexadecimal): two programmes of one office with the same words have the same number.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kizuki.app import audit
from kizuki.app.criteria_board import definitions_now
from kizuki.definitions.loader import Definitions
from kizuki.definitions.messages import LINK, PHONE, PROGRAMME, Messages, Template, TemplateVersion
from kizuki.definitions.programmes import Programme
from kizuki.push import lines
from kizuki.records.notice_models import NoticeBatch, NoticeChannel
from kizuki.terms.errors import DefinitionError, InputRefused

PREFIX: Final = "t-"
FILE_MARK: Final = "text"
"""Key of `NoticeBatch.counts` under which the mark of the version's file is kept."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text as it would leave for one programme."""

    template: Template
    version: TemplateVersion
    words: str

    @property
    def number(self) -> str:
        """What the relay calls it: nothing can be read back from it."""
        return PREFIX + audit.keys().token("notice-template", self.template.id, self.version.version, self.words)

    def line(self) -> lines.Template:
        """The text on its way to the relay."""
        return lines.Template(self.number, self.version.version, self.words, self.template.named)

    def sample(self) -> str:
        """How it looks, with an address that leads nowhere."""
        return self.words.replace(f"{{{LINK}}}", "https://（一度だけ使えるページの番地）")


def messages_of(home: Path) -> Messages:
    """The city's decisions about notices as they stand now; raises DefinitionError."""
    return messages_in(definitions_now(home))


def messages_in(definitions: Definitions) -> Messages:
    """The same from loaded definitions; raises DefinitionError K810 where there are none."""
    found = definitions.messages
    if not isinstance(found, Messages):
        raise DefinitionError("K810", "お知らせの定義がありません。", "messages", "定義を入れ直してください。")
    return found


def text_for(messages: Messages, programme: Programme, template_id: str, version: str = "", *, synthetic: bool) -> Text:
    """The text for one programme; raises InputRefused K812 (no such text), K813 (no telephone of the office)."""
    template = messages.templates.get(template_id)
    found = None if template is None else template.version(version) if version else template.latest
    if template is None or found is None:
        raise InputRefused("K812", "その文面、またはその版はありません。", "文面", "一覧から選び直してください。")
    office = messages.offices.of(programme.text.owner)
    if office is None or (office.example and not synthetic):
        raise InputRefused(
            "K813",
            "所管課の電話番号が入っていないため、送れません。",
            programme.text.owner,
            "definitions/messages/offices.yaml に、住民がかけられる番号を入れてください（例の番号は合成の市でだけ使えます）。",
        )
    words = found.text.replace(f"{{{PHONE}}}", f"{office.name} {office.phone}").replace(f"{{{PROGRAMME}}}", programme.name)
    return Text(template, found, words)


def text_of(batch: NoticeBatch, definitions: Definitions, *, synthetic: bool) -> Text:
    """The text a batch was approved with; raises InputRefused K812 also where it is no longer the same."""
    programme = definitions.programmes.get(batch.programme)
    if programme is None:
        raise InputRefused("K812", "この制度は、いまの定義にありません。", batch.programme, "取り消して、作り直してください。")
    found = text_for(messages_in(definitions), programme, batch.template, batch.template_version, synthetic=synthetic)
    if digest(found) != batch.template_digest:
        raise InputRefused(
            "K812", "文面が、承認を求めたときと変わっています。", batch.template, "取り消して、いまの文面で作り直してください。"
        )
    return found


def digest(text: Text) -> str:
    """The mark of the words that leave: template, version and everything filled in."""
    return text.number.removeprefix(PREFIX)


def check_unchanged(text: Text) -> None:
    """Raise InputRefused K812 where a batch has used this very version with other words (the record outlives the file)."""
    used = NoticeBatch.objects.filter(template=text.template.id, template_version=text.version.version)
    marks = {str(found.get(FILE_MARK, "")) for found in used.values_list("counts", flat=True)}
    if marks - {text.version.digest, ""}:
        raise InputRefused(
            "K812",
            f"文面「{text.template.name}」の版 {text.version.version} は、前に別の本文で使われています。",
            "文面",
            "定義に、新しい版の番号で本文を足してください。",
        )


def choices(messages: Messages) -> list[Template]:
    """Texts a batch can be made with, LINE first."""
    return sorted(messages.templates.values(), key=lambda t: (t.channel != NoticeChannel.LINE.value, t.named, t.id))
