"""Encrypted columnar files: Parquet modular encryption (AES-256-GCM), written whole or not at all.

DuckDB cannot read these files (measured), so tables always pass through pyarrow.
"""

import os
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from kizuki.engine.keys import KeyRing
from kizuki.terms.errors import RunFailed


def write_table(path: Path, table: pa.Table, keys: KeyRing, purpose: str) -> None:
    """Write `table` encrypted under the purpose key; the file appears complete and synced, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    properties = pe.create_encryption_properties(footer_key=keys.key(purpose))  # type: ignore[attr-defined,unused-ignore]
    table = _without_null_categories(table)
    with pq.ParquetWriter(
        temporary,
        table.schema,
        compression="zstd",
        compression_level=1,
        write_statistics=False,  # tables are read whole, and finding the least and greatest takes as long as the writing
        encryption_properties=properties,
    ) as writer:
        writer.write_table(table)
    sync_file(temporary)
    os.replace(temporary, path)
    sync_folder(path.parent)


def read_table(
    path: Path, keys: KeyRing, purpose: str, columns: Collection[str] | None = None, *, dictionary: bool = False
) -> pa.Table:
    """Read what `write_table` made; raises RunFailed on a wrong key or any altered byte.

    With `dictionary`, text columns come dictionary-encoded: a mart table then takes a fifth of the memory. Of `columns` those
    the table has are read; where it has none of them, all.
    """
    properties = pe.create_decryption_properties(footer_key=keys.key(purpose))  # type: ignore[attr-defined,unused-ignore]
    try:
        file = pq.ParquetFile(path, decryption_properties=properties, memory_map=False)
        if dictionary:
            text = [f.name for f in file.schema_arrow if pa.types.is_string(f.type)]
            file = pq.ParquetFile(path, decryption_properties=properties, memory_map=False, read_dictionary=text)
        named = None if columns is None else [n for n in file.schema_arrow.names if n in columns]
        return file.read(columns=named or None)
    except (OSError, pa.ArrowException) as e:
        raise RunFailed(
            "K903", "保存したデータを読めません。壊れたか、鍵が違います。", path.name, "控えから戻してください。"
        ) from e


def unfinished(path: Path) -> Path:
    """Where a file is written before it takes its place: beside it, and each process and thread its own."""
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")


def _without_null_categories(table: pa.Table) -> pa.Table:
    """Parquet has no dictionary that lists null as a value: such columns are written as plain text."""
    for place, field in enumerate(table.schema):
        column = table.column(place)
        chunks: list[Any] = column.chunks
        if pa.types.is_dictionary(field.type) and any(chunk.dictionary.null_count for chunk in chunks):
            table = table.set_column(place, field.with_type(field.type.value_type), column.cast(field.type.value_type))
    return table


def sync_file(path: Path) -> None:
    """Force a file's bytes to disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(path: Path) -> None:
    """Force a rename in a folder to disk (a no-op where folders cannot be opened, as on Windows)."""
    if os.name == "nt":
        return
    sync_file(path)
