"""Signing the city's decisions (Ed25519): signer keys, and the signed switches that turn a feed on.

What a switch means and how it is checked is in `definitions.switches`; here it is made. A private key belongs to its signer and
never to the data directory's backup.
"""

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kizuki.definitions.sources import SourceManifest
from kizuki.definitions.switches import ACTION_LABELS, SIGNER_FOLDER, SWITCH_FOLDER, Signer, Switch, load_signers, verify
from kizuki.terms.errors import UsageError

__all__ = ["Decision", "new_signer", "read_key", "register_signer", "sign", "switch_on", "verify"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The city's decision behind a switch: number, ISO date, and who decided."""

    number: str
    decided_on: str
    decider: str


def new_signer(path: Path) -> Ed25519PrivateKey:
    """A new private key in `path` (PEM, readable by its owner only; never overwrites)."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
        f.write(pem)
    return key


def read_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file; raises UsageError K144."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as e:
        raise UsageError("K144", "署名の鍵を読めません。", path.name, "Ed25519の秘密鍵（PEM）を指定してください。") from e
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError("K144", "署名の鍵がEd25519ではありません。", path.name, "Ed25519の秘密鍵（PEM）を指定してください。")
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half in base64, as the list of signers writes it."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def sign(content: bytes, key: Ed25519PrivateKey) -> str:
    """A signature in base64 that `verify` accepts."""
    return base64.b64encode(key.sign(content)).decode()


def register_signer(home: Path, signer: str, name: str, key: Ed25519PrivateKey) -> Path:
    """Add a signer to the home's own list."""
    path = home / "definitions" / SIGNER_FOLDER / f"{signer}.yaml"
    _write(path, "署名が効力をもつ人", {"ID": signer, "名称": name, "公開鍵": public_text(key)})
    return path


def signer_of(home: Path, key: Ed25519PrivateKey) -> Signer:
    """The registered signer this key belongs to; raises UsageError K144 if it is nobody's."""
    public = public_text(key)
    for signer in load_signers([home / "definitions"]).values():
        if signer.public_key == public:
            return signer
    raise UsageError("K144", "この鍵の署名者は登録されていません。", "", "kizuki source new-signer で登録してください。")


def switch_on(
    home: Path,
    manifest: SourceManifest,
    decision: Decision,
    *,
    signer: str,
    key: Ed25519PrivateKey,
    waive: tuple[str, ...] = (),
) -> Path:
    """Write the signed switch that turns a source on (or, with `waive`, exempts fields from the My Number check)."""
    kind = "mynumber_waiver" if waive else "enable"
    switch = Switch(
        id=f"{manifest.id}_{kind}",
        source=manifest.id,
        action=kind,
        fields=waive,
        fingerprint=manifest.fingerprint,
        decision_no=decision.number,
        decided_on=decision.decided_on,
        decider=decision.decider,
        signer=signer,
    )
    label = next(text for text, action in ACTION_LABELS.items() if action == kind)
    content: dict[str, Any] = {"ID": switch.id, "対象": switch.source, "許可": label}
    if waive:
        content["項目"] = list(waive)
    content |= {
        "様式の指紋": switch.fingerprint,
        "決裁番号": switch.decision_no,
        "決裁日": switch.decided_on,
        "決裁者": switch.decider,
        "署名者": switch.signer,
        "署名": sign(switch.content(), key),
    }
    path = home / "definitions" / SWITCH_FOLDER / f"{switch.id}.yaml"
    _write(path, "決裁の署名。書き換えると無効になる", content)
    return path


def _write(path: Path, title: str, content: dict[str, Any]) -> None:
    """A small YAML file; JSON strings are YAML strings."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"# {title}", *(f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in content.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
