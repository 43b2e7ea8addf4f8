"""Signed switches: a decision of the city, with number, date and decider, that turns on what is off until then.

Two things need one: a feed marked 要署名 (tax), and exempting a column from the My Number check. The signature (Ed25519)
covers the decision and the fingerprint of the manifest it was made for, so a column added later needs a new decision.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BeforeValidator
from pydantic import Field as Key

from kizuki.definitions.sources import IsoDate, SourceManifest
from kizuki.definitions.yaml import Definition, Node, build, labelled, read_folder
from kizuki.terms.errors import DefinitionError

SWITCH_FOLDER = "switches"
SIGNER_FOLDER = "governance/signers"
ACTION_LABELS = {"受領の開始": "enable", "個人番号検査の免除": "mynumber_waiver"}
_FIX = "「kizuki source switch-on」で決裁をとり直してください。"


class Signer(Definition):
    """One person or office whose signature counts: a raw Ed25519 public key in base64."""

    id: str = Key(alias="ID")
    name: str = Key(alias="名称")
    public_key: str = Key(alias="公開鍵")


class Switch(Definition):
    """One signed decision about one source (and, for a waiver, some of its fields)."""

    id: str = Key(alias="ID")
    source: str = Key(alias="対象")
    action: Annotated[Literal["enable", "mynumber_waiver"], BeforeValidator(labelled(ACTION_LABELS))] = Key(alias="許可")
    fields: tuple[str, ...] = Key((), alias="項目")
    fingerprint: str = Key(alias="様式の指紋")
    decision_no: str = Key(alias="決裁番号", min_length=1)
    decided_on: IsoDate = Key(alias="決裁日")
    decider: str = Key(alias="決裁者", min_length=1)
    signer: str = Key(alias="署名者")
    signature: str = Key("", alias="署名")

    def content(self) -> bytes:
        """The canonical bytes that are signed: every field but the signature."""
        kept = self.model_dump(mode="json", exclude={"signature"})
        return json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def verify(content: bytes, signature: str, public_key: str) -> bool:
    """Whether `signature` (base64) over `content` was made by the holder of `public_key` (base64)."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), content)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def load_signers(roots: Sequence[Path]) -> dict[str, Signer]:
    """Everyone whose signature counts, from all layers."""
    folders = [root / SIGNER_FOLDER for root in roots]
    return {name: build(Signer, node) for name, node in read_folder(folders[0], folders[1:]).items()}


def apply_switches(manifests: dict[str, SourceManifest], roots: Sequence[Path]) -> dict[str, SourceManifest]:
    """Manifests with every valid switch carried out.

    Raises DefinitionError K806 on a switch that is unsigned, altered, by an unknown signer or for another version of the
    manifest, and K807 on a manifest that is on, or exempts a column, without a switch.
    """
    folders = [root / SWITCH_FOLDER for root in roots]
    signers = load_signers(roots)
    enabled: set[str] = set()
    waived: dict[str, set[str]] = {}
    for node in read_folder(folders[0], folders[1:]).values():
        switch = _checked(node, signers, manifests)
        if switch.action == "enable":
            enabled.add(switch.source)
        else:
            waived.setdefault(switch.source, set()).update(switch.fields)
    return {name: _switched(m, name in enabled, waived.get(name, set())) for name, m in manifests.items()}


def _checked(node: Node, signers: dict[str, Signer], manifests: dict[str, SourceManifest]) -> Switch:
    switch = build(Switch, node)
    if switch.source not in manifests:
        raise DefinitionError("K806", f"決裁の対象「{switch.source}」という元データはありません。", node.where(), _FIX)
    if switch.signer not in signers:
        raise DefinitionError("K806", f"署名者「{switch.signer}」は登録されていません。", node.where(), _FIX)
    if not verify(switch.content(), switch.signature, signers[switch.signer].public_key):
        raise DefinitionError("K806", "決裁の署名が合いません。書き換えられたか、署名がありません。", node.where(), _FIX)
    if switch.fingerprint != manifests[switch.source].fingerprint:
        raise DefinitionError("K806", "決裁のあとに受領の定義が変わっています。", node.where(), _FIX)
    return switch


def _switched(manifest: SourceManifest, on: bool, waived: set[str]) -> SourceManifest:
    for field in manifest.fields:
        if field.mynumber_waiver and field.name not in waived:
            what = f"「{manifest.name}」の「{field.title}」は、署名のない個人番号検査の免除です。"
            raise DefinitionError("K807", what, f"sources/{manifest.id}", _FIX)
    if not manifest.signature_required:
        return manifest
    if manifest.enabled and not on:
        raise DefinitionError("K807", f"「{manifest.name}」は署名がないのに有効です。", f"sources/{manifest.id}", _FIX)
    return manifest.model_copy(update={"enabled": on})
