"""The one place that reads the process environment: one frozen `Settings`, validated once at start.

City policy never lives here (it lives in definitions/); these are facts about the machine the program runs on.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from kizuki.engine.keys import KeyRing
from kizuki.terms.errors import UsageError

_TRUE = frozenset({"1", "true", "yes", "on"})
_SQLITE_START = "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA secure_delete=ON;PRAGMA temp_store=MEMORY;"
_FALSE = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Facts of one installation.

    `home` data folder; `secret` signs sessions and forms; `database` Django's DATABASES entry; `demo` sign-in without
    password, synthetic homes only; `https` the program is reached through https; `hosts` names it answers to;
    `mfa_required` staff must hold a second factor; `proxy` address of the https front, whose word on the caller is taken.
    """

    home: Path
    secret: str
    database: Mapping[str, Any]
    demo: bool
    https: bool
    hosts: tuple[str, ...]
    mfa_required: bool
    proxy: str
    relay: "RelaySettings"


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Facts of the relay's side: its database, LINE's address, and its own as residents reach it (no last slash)."""

    database: Mapping[str, Any]
    line_host: str
    address: str


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the environment; raises UsageError (K790) on a value that means nothing."""
    env = os.environ if environ is None else environ
    home = Path(env.get("KIZUKI_HOME", "var")).absolute()
    demo = _flag(env, "KIZUKI_DEMO", default=False)
    hosts = tuple(h.strip() for h in env.get("KIZUKI_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if h.strip())
    return Settings(
        home=home,
        secret=env.get("KIZUKI_SECRET") or _derived_secret(home),
        database=_database(env.get("KIZUKI_DATABASE_URL", ""), home),
        demo=demo,
        https=_flag(env, "KIZUKI_HTTPS", default=False),
        hosts=hosts,
        mfa_required=_flag(env, "KIZUKI_MFA_REQUIRED", default=not demo),
        proxy=env.get("KIZUKI_PROXY", "127.0.0.1"),
        relay=RelaySettings(
            database=_sqlite(home / "relay.db"),
            line_host=env.get("KIZUKI_LINE_HOST", "https://api.line.me").rstrip("/"),
            address=env.get("KIZUKI_RELAY_ADDRESS", "http://localhost:8080").rstrip("/"),
        ),
    )


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = env.get(name)
    if text is None:
        return default
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise UsageError("K790", f"環境変数 {name} の値を読めません。", name, "1 または 0 を指定してください。")


def _derived_secret(home: Path) -> str:
    # Importing settings must not create files: without a root key (tests, type checks, help texts) sessions last one process.
    if (home / "keys" / "root.key").exists():
        return KeyRing.load(home).key("web-session").hex()
    return secrets.token_hex(32)


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",  # two writers queue instead of failing half way
            "timeout": 10,
            "init_command": _SQLITE_START,
        },
    }


def _database(url: str, home: Path) -> dict[str, Any]:
    if not url:
        return _sqlite(home / "app.db")
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise UsageError(
            "K790",
            "環境変数 KIZUKI_DATABASE_URL を読めません。",
            "KIZUKI_DATABASE_URL",
            "postgresql://利用者:合言葉@ホスト:5432/データベース名 の形で指定してください。",
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
    }
