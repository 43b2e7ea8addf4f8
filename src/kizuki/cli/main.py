"""The command line: one verb, one use case. Verbs are imported when used; every error is a sentence and an exit code."""

import importlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from kizuki.terms.errors import KizukiError, RunFailed, UsageError

VERBS: dict[str, tuple[str, str]] = {
    "demo": ("kizuki.cli.demo", "合成都市で一晩を通し、画面を開きます。"),
    "run": ("kizuki.cli.run", "届いたデータを取り込み、判定し、公開します。"),
    "serve": ("kizuki.cli.serve", "画面を開きます。"),
    "source": ("kizuki.cli.source", "データの届け方・受領・書き出し。"),
    "clean": ("kizuki.cli.clean", "氏名・カナ・日付・住所の整え方を試します。"),
    "link": ("kizuki.cli.link", "名寄せの書き出しと評価。"),
    "judge": ("kizuki.cli.judge", "判定の書き出しと評価。"),
    "programme": ("kizuki.cli.programme", "制度と未受給の判定。"),
    "notice": ("kizuki.cli.notice", "お知らせの見込み・配信結果・書き出し。"),
    "relay": ("kizuki.cli.relay", "LINEとの中継へ渡す便と、中継からの便。"),
    "audit": ("kizuki.cli.audit", "操作の記録の検証。"),
    "bench": ("kizuki.cli.bench", "速さと使うメモリを測ります。"),
    "doctor": ("kizuki.cli.doctor", "動く状態かどうかを確かめます。"),
}
"""Verb → module with its typer `app` (a group) or its only command, and one line of help."""


# Read when Arrow is first loaded; its own allocators keep what they once needed (engine/measure.py, share_one_heap).
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

# typer carries its own click, or uses the installed one: the class every misuse is an instance of, by its name
_MISUSE: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
_LEFT_BY_SIGNAL = 130


class LazyVerbs(TyperGroup):
    """Imports a verb's module when the verb is used, so that help and mistakes answer at once."""

    _listing = False

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The list of verbs, from their one line each; no verb is imported for it."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False

    def list_commands(self, ctx: Any) -> list[str]:
        """Verbs in the order of the night."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb, imported now."""
        if cmd_name not in VERBS:
            return None
        if self._listing:
            return TyperCommand(cmd_name, help=VERBS[cmd_name][1])
        module: Any = importlib.import_module(VERBS[cmd_name][0])
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=LazyVerbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="きづき：こどもデータ連携",
)


@app.callback()
def _root() -> None:
    """きづき：自治体のためのこどもデータ連携。"""


def main(argv: list[str] | None = None) -> None:
    """Run one verb and leave with the exit code of the contract."""
    sys.exit(call(lambda: app(argv, standalone_mode=False)))


def call(verb: Callable[[], Any]) -> int:
    """The exit code of a verb; every error becomes a sentence on stderr, never a trace of a person's value."""
    try:
        code = verb()
    except KizukiError as e:
        print(e, file=sys.stderr)
        return e.exit_code
    except _MISUSE as e:
        e.show(sys.stderr)
        return UsageError.exit_code
    except (typer.Abort, KeyboardInterrupt):
        print("中断しました。", file=sys.stderr)
        return _LEFT_BY_SIGNAL
    except typer.Exit as e:
        return e.exit_code
    except Exception as e:  # a fault of the program: where it happened, never its message, which may hold a value
        for frame in traceback.extract_tb(e.__traceback__):
            print(f"  {frame.filename}:{frame.lineno} {frame.name}", file=sys.stderr)
        fault = RunFailed(
            "K404", f"予期しない誤りで止まりました（{type(e).__name__}）。", "", "情報システム担当に知らせてください。"
        )
        print(fault, file=sys.stderr)
        return fault.exit_code
    return code if isinstance(code, int) else 0
