"""A private PostgreSQL server for tests: made, started, killed and thrown away by whoever runs them, root or not."""

from __future__ import annotations

import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

USER, PASSWORD = "ledger", "s3cret"
# The server refuses to run as root; then it runs as the first of these that exists.
_OTHER_USERS = ("postgres", "nobody")
# Little memory. Durability stays as it is by default, for it is what the tests are about.
_SETTINGS = {"listen_addresses": "127.0.0.1", "shared_buffers": "16MB", "max_connections": "60"}


class PostgresServer:
    """Run one server on a free port of this machine, its files in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _find_free_port()
        self._log = folder / "log"
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes]

    def create(self) -> None:
        """Make the server's files."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if os.getuid() == 0:
            for path in (self.folder, secret):
                shutil.chown(path, _find_user())
        options = ("--no-sync", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256")
        code = self._begin("initdb", *options, f"--username={USER}", f"--pwfile={secret}").wait()
        if code:
            raise RuntimeError(f"initdb failed: {self._log.read_text()}")

    def start(self) -> None:
        """Start, and wait until it takes connections; after a kill, until it has recovered."""
        settings = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        self._process = self._begin("postgres", *(f"-c{name}={value}" for name, value in settings.items()))
        while not self._is_ready():
            if self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: {self._log.read_text()}")
            time.sleep(0.02)  # there is nothing to wait on: a port that is not open yet tells nobody when it is

    def stop(self) -> None:
        """Stop at once; what was committed is recovered at the next start."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """Kill the server and each of its processes with SIGKILL, and wait until none is left."""
        children = _list_children(self._process.pid)
        self._end(signal.SIGKILL)
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            _wait_for_end(pid)

    def url(self, schema: str = "public", *, port: int | None = None, password: str = PASSWORD, **settings: str) -> str:
        """Return the address of a schema as `CONSENT_LEDGER` takes it, perhaps by way of another port, or with settings."""
        options = "".join(f"-c{name}%3D{value}%20" for name, value in {"search_path": schema, **settings}.items())
        return f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{port or self.port}/postgres?options={options}"

    def create_schema(self) -> str:
        """Make a place for one ledger's tables; return its name.

        No database of its own: that is hundreds of files, each of which a server that was killed syncs before it is back.
        """
        name = f"ledger_{next(self._numbers)}"
        self.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        return name

    def connect(self, schema: str = "public") -> psycopg.Connection:
        """Connect without the ledger; each statement is a transaction of its own."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=PASSWORD,
            dbname="postgres",
            options=f"-csearch_path={schema}",
            autocommit=True,
        )

    def execute(self, *statements: sql.Composed | sql.SQL, schema: str = "public") -> None:
        """Run statements without the ledger."""
        with self.connect(schema) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def settings(self, **values: str) -> Iterator[None]:
        """Change settings of the whole server for a while."""
        reload = sql.SQL("SELECT pg_reload_conf()")
        names = [sql.Identifier(name) for name in values]
        changes = zip(names, map(sql.Literal, values.values()), strict=True)
        self.execute(*(sql.SQL("ALTER SYSTEM SET {} = {}").format(*change) for change in changes), reload)
        try:
            yield
        finally:
            self.execute(*(sql.SQL("ALTER SYSTEM RESET {}").format(name) for name in names), reload)

    def _begin(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        # A run that is killed itself takes its server with it.
        command = ["setpriv", "--pdeathsig=QUIT", find_program(program), "-D", str(self.folder / "data"), *arguments]
        user = _find_user() if os.getuid() == 0 else None
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,  # the other user may be unable to enter this process's own
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=user,
                group=user and pwd.getpwnam(user).pw_gid,
                extra_groups=user and [],
            )

    def _end(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        self._process.wait()

    def _is_ready(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def run_server() -> Iterator[PostgresServer]:
    """Run a server, and leave nothing behind."""
    # Not pytest's folder, which only its own user can enter; a short path, for the socket in it.
    with tempfile.TemporaryDirectory(prefix="consent-pg-") as folder:
        server = PostgresServer(Path(folder))
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def find_program(name: str) -> str:
    """Return where a program of the server's is: Debian keeps it off the PATH, by version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name), reverse=True)
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        raise RuntimeError(f"PostgreSQL's {name!r} is not installed. Run: tools/system_packages.sh server")
    return found


def _find_user() -> str:
    known = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in _OTHER_USERS if name in known)


def _find_free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _list_children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _wait_for_end(pid: int) -> None:
    # Not a child of this process; a pidfd becomes readable when it has ended.
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            select.select([handle], [], [], 60)
        finally:
            os.close(handle)
