"""下書き: a proposed manifest for a file nobody has described yet, tried on the file itself before it is shown."""

import re
from pathlib import Path

from kizuki.definitions.sources import SourceManifest
from kizuki.definitions.yaml import build, read_text
from kizuki.sources.draft import propose
from kizuki.sources.receive import Stamp, inspect_bytes
from kizuki.sources.received import Reason
from kizuki.terms.errors import InputRefused

_DATES = re.compile(r"_?\d{6,8}.*$")
_NOT_NAME = re.compile(r"[^a-z0-9]+")


def draft_file(path: Path, known: dict[str, SourceManifest]) -> str:
    """The draft's YAML, headed by what a trial receipt of the same file gave; raises InputRefused if it is no CSV."""
    try:
        data = path.read_bytes()
    except OSError as e:
        raise InputRefused("K106", "ファイルを開けません。", path.name, "ファイルの場所と権限を確かめてください。") from e
    names = {f.title: f.name for manifest in known.values() for f in manifest.fields}
    text = propose(data, source_id_of(path), names)
    if isinstance(text, Reason):
        raise InputRefused(text.code, text.message, path.name, text.fix)
    manifest = build(SourceManifest, read_text(text, Path(f"{path.stem}.yaml")))
    trial = inspect_bytes(data, path.name, manifest, Stamp(None, "full"))
    told = {"accepted": "受入", "held": "保留", "refused": "返却", "duplicate": "重複"}[trial.status]
    counts = f"{trial.lines}行＝受入{trial.accepted}＋保留{trial.quarantined}＋見出し等{trial.declared}"
    reasons = "".join(f"\n#   {r.line or '-'}行目：{r.message}" for r in trial.reasons[:5])
    return f"# 試しの受領：{told}（{counts}）{reasons}\n{text}"


def source_id_of(path: Path) -> str:
    """An identifier from the file name, without its date."""
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _DATES.sub("", path.stem)).lower()
    slug = _NOT_NAME.sub("_", stem).strip("_")[:50]
    return slug if slug and slug[0].isalpha() else "new_source"
