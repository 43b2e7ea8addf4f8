"""手紙のPDF: the same page and style sheet as on the screen, made into PDF by weasyprint (extra `[pdf]`).

Nothing is fetched from anywhere while it is made, and nothing is written to disk.
"""

import shutil
import subprocess
from typing import Any

from kizuki.terms.errors import RunFailed, UsageError

_SECONDS = 10


def pdf(html: str, css: str) -> bytes:
    """The PDF of one page with one style sheet; raises as `ready` does."""
    weasyprint = ready()
    page = weasyprint.HTML(string=html, url_fetcher=_nothing)
    made: bytes = page.write_pdf(stylesheets=[weasyprint.CSS(string=css, url_fetcher=_nothing)])
    return made


def ready() -> Any:
    """The library, asked for before anything is printed, so that no letter counts as printed that cannot be made.

    Raises UsageError K676 without the extra, RunFailed K677 without a Japanese font on this machine.
    """
    try:
        import weasyprint
    except (ImportError, OSError) as e:  # OSError: the package is there, its system libraries are not
        raise UsageError(
            "K676",
            "PDFを作る部品が入っていません。",
            "手紙のPDF",
            "pip install 'kizuki[pdf]' で入れるか、画面の「印刷する」から印刷してください。",
        ) from e
    if not _japanese_font():
        raise RunFailed(
            "K677",
            "日本語の書体が見つからないため、PDFを作りませんでした（文字が四角になります）。",
            "手紙のPDF",
            "日本語の書体（fonts-noto-cjk など）を入れるか、画面の「印刷する」から印刷してください。",
        )
    return weasyprint


def _nothing(url: str, *_: Any, **__: Any) -> dict[str, Any]:
    """No address is ever fetched."""
    raise ValueError("addresses are not fetched")


def _japanese_font() -> bool:
    """Whether fontconfig knows a font for Japanese."""
    tool = shutil.which("fc-list")
    if tool is None:
        return False
    found = subprocess.run([tool, ":lang=ja", "family"], capture_output=True, timeout=_SECONDS, check=False)
    return bool(found.stdout.strip())
