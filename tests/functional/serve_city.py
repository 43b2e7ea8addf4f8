"""Serves a fictional city for the browser tests: `python -m tests.functional.serve_city HOME CHILDREN` prints its address."""

import sys
from pathlib import Path

from kizuki.app import startup
from tests.functional.city import publish


def main(home: Path, children: int) -> None:
    """Publish (unless told 0 children: a home before its first run), make demo users, listen on a free port until killed."""
    if children:
        publish(home, children=children)
    startup.open_app(home, demo=True)
    from kizuki.app.demo_users import ensure_demo_users
    from kizuki.cli.serve import listen

    ensure_demo_users(True)
    listen(home, port=0, as_json=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
