"""Driver in a process of its own: somebody with the database in their hands tries statements on the log of a home."""

import json
import os
import sys
from pathlib import Path


def main(home: Path, statements: list[str]) -> None:
    """Print which statements the database refused, and whether the log still holds."""
    from kizuki.app import startup

    os.environ["KIZUKI_HOSTS"] = "testserver"
    startup.open_app(home, demo=True)
    from django.db import DatabaseError, connection, transaction

    from kizuki.app import audit

    refused = []
    for statement in statements:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
            refused.append(False)
        except DatabaseError as e:
            refused.append("append-only" in str(e))
    verdict = audit.verify()
    print(json.dumps({"refused": refused, "log": verdict.ok, "events": verdict.events}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
