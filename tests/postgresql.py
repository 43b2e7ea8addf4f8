"""A PostgreSQL of the tests' own: a fresh cluster in a temporary folder, on loopback, gone with the test."""

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER = "postgres"


def server_folder() -> Path | None:
    """Where the server programs are (Debian keeps them off PATH), or None."""
    found = shutil.which("initdb") or next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True)), None)
    return Path(found).resolve().parent if found else None


@contextmanager
def running() -> Iterator[str]:
    """The URL of an empty database, as KIZUKI_DATABASE_URL takes it."""
    programs = server_folder()
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="kizuki-postgresql-") as folder:
        _hand_over(Path(folder))
        data, port = Path(folder) / "cluster", _free_port()
        _do(programs / "initdb", "-D", data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        _do(programs / "pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", options, "start")
        try:
            _do(programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", OWNER, "kizuki")
            yield f"postgresql://{OWNER}@127.0.0.1:{port}/kizuki"
        finally:
            _do(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")


def _hand_over(folder: Path) -> None:
    """The server refuses to run as root: its folder gets an owner of its own."""
    if os.geteuid() == 0:
        owner = pwd.getpwnam(OWNER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)


def _do(program: Path, *arguments: str | Path) -> None:
    command = [str(program), *map(str, arguments)]
    if os.geteuid() == 0:
        command = ["runuser", "-u", OWNER, "--", *command]
    done = subprocess.run(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
