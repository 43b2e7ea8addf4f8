"""A manifest in the words of Data Package v2 (Table Schema with labelled missing values), for other programs to read.

Source: datapackage.org, standard 2.0 (public domain). What the standard has no word for stands under `x:` names.
"""

from typing import Any

from kizuki.definitions.sources import Field, Layout, SourceManifest

_TYPES = {"string": "string", "int": "integer", "double": "number", "bool": "boolean", "date": "date", "code": "string"}
_BLANK_TITLES = {"zero": "ゼロ", "not_entered": "未入力", "not_applicable": "対象外", "not_collected": "未整備"}
_PROFILE = "https://datapackage.org/profiles/2.0/"


def datapackage(manifest: SourceManifest) -> dict[str, Any]:
    """One resource per layout of the file; fields are in file order, without the columns that are not taken in."""
    return {
        "$schema": f"{_PROFILE}datapackage.json",
        "name": manifest.id,
        "title": manifest.name,
        "description": manifest.description or manifest.purpose,
        "resources": [_resource(manifest, layout) for layout in manifest.layouts],
        "x:owner": manifest.owner,
        "x:network": manifest.network,
        "x:legalBasis": manifest.legal_basis,
        "x:purpose": manifest.purpose,
        "x:cadence": manifest.cadence.value,
        "x:graceDays": manifest.grace_days,
        "x:retentionDays": manifest.retention_days,
        "x:delivery": manifest.delivery,
        "x:enabled": manifest.enabled,
        "x:fileName": manifest.file_name,
        "x:fingerprint": manifest.fingerprint,
        "x:personRecords": [p.model_dump(exclude_none=True) for p in manifest.person_records],
    }


def _resource(manifest: SourceManifest, layout: Layout) -> dict[str, Any]:
    columns = [name for name in manifest.columns(layout) if name is not None]
    titles = [t for t, name in zip(manifest.titles(layout), manifest.columns(layout), strict=True) if name is not None]
    return {
        "name": f"{manifest.id}-{layout.id}".lower(),
        "path": f"{manifest.id}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": layout.encoding,
        "dialect": {
            "delimiter": layout.delimiter,
            "lineTerminator": "\r\n" if layout.newline == "crlf" else "\n",
            "quoteChar": '"',
            "doubleQuote": True,
            "header": layout.header_rows > 0,
            "headerRows": [layout.header_rows] if layout.header_rows else [],
        },
        "schema": {
            "$schema": f"{_PROFILE}tableschema.json",
            "fieldsMatch": ["equal"],
            "fields": [_field(manifest.field(n), t) for n, t in zip(columns, titles, strict=True)],
            "primaryKey": list(manifest.primary_key),
        },
        "x:validFrom": layout.valid_from,
        "x:validUntil": layout.valid_until,
        "x:trailerPatterns": list(layout.trailer_patterns),
        "x:ignoredColumns": list(layout.ignored),
    }


def _field(field: Field, title: str) -> dict[str, Any]:
    constraints: dict[str, Any] = {"required": field.required}
    if field.pattern:
        constraints["pattern"] = field.pattern
    if field.minimum is not None:
        constraints["minimum"] = int(field.minimum) if field.type == "int" else field.minimum
    if field.maximum is not None:
        constraints["maximum"] = int(field.maximum) if field.type == "int" else field.maximum
    told: dict[str, Any] = {"name": field.name, "title": title, "type": _TYPES[field.type], "constraints": constraints}
    if field.type == "date":
        told["format"] = "any"  # 和暦 and western spellings, read by the `wareki` normalisers
    if field.description:
        told["description"] = field.description
    if field.categories:
        told["categories"] = [{"value": value, "label": label} for value, label in field.categories.items()]
    if field.blank is not None:
        told["missingValues"] = [{"value": "", "label": _BLANK_TITLES[field.blank.value]}]
    return told | {"x:class": field.klass.value, "x:normaliser": field.normaliser, "x:multiline": field.multiline}
