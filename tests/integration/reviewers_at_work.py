"""Reviewers' answers in a home, in a process of its own: `python -m tests.integration.reviewers_at_work HOME SAID …`.

SAID is `answer:PAIR:WORD:NUMBER OF THE REVIEWER` or `withdraw` (the newest settled word). Prints what each reviewer read.
"""

import sys
from pathlib import Path

from kizuki.app import startup


def main(home: Path, said: list[str]) -> None:
    """Say it all, in order."""
    startup.open_app(home)
    from kizuki.app import accounts
    from kizuki.app import link_review_words as words
    from kizuki.app.served import served
    from kizuki.records.models import LinkDecision, User

    for text in said:
        what, *told = text.split(":")
        login = f"reviewer{told[2]}" if told else "reviewer1"
        user, _ = User.objects.get_or_create(username=login, defaults={"role": "link_reviewer"})
        actor = accounts.actor(user, purpose="linkage_review", session="s" * 32)
        if what == "withdraw":
            newest = LinkDecision.objects.filter(withdrawn_at=None).order_by("-pk")[0]
            print(words.withdraw(actor, newest.pk, "見間違い"))
        else:
            print(words.answer(actor, served(home), told[0], told[1]).text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
