"""What every view takes from its request: the actor, the served home, the way back."""

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest

from kizuki.app.served import Served, served
from kizuki.govern.actor import Actor
from kizuki.terms.errors import NotPermitted


def home() -> Path:
    """Data folder of this installation."""
    return Path(settings.KIZUKI_HOME)


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in actor; raises NotPermitted (K720) where a purpose has not been chosen."""
    actor = getattr(request, "actor", None)
    if not isinstance(actor, Actor):
        raise NotPermitted(
            "K720", "利用目的が選ばれていません。", "サインイン", "サインインし直して、利用目的を選んでください。"
        )
    return actor


def number_of(text: str) -> int | None:
    """A whole number typed or linked; None for anything else (`isdigit` would let ² through, `int` refuses it)."""
    return int(text) if text.isdecimal() and len(text) <= 12 else None


def snapshot() -> Served:
    """The served snapshot; raises RunFailed before the first run."""
    return served(home())
