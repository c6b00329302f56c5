"""A line to a server that fails on demand: cut before the answer, or silent."""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from threading import Thread

_CHUNK = 65536


class TcpProxy:
    """Pass on what goes between clients and a port of this machine. Close it when done."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets = [self._listener]
        self._is_silent = False
        self._cut_words: list[bytes] = []
        self._silent_words: list[bytes] = []
        Thread(target=self._accept, daemon=True).start()

    def cut_after(self, word: bytes) -> None:
        """Let the next message with a word in it through, wait for the answer, and cut the line instead of passing it on."""
        self._cut_words.append(word)

    def silence_after(self, word: bytes) -> None:
        """Swallow the next message with a word in it, and all that is sent on its line from then on."""
        self._silent_words.append(word)

    def stall(self) -> None:
        """Swallow whatever is sent, and take new lines: as when a machine's power is gone, nobody hears of it.

        A line on which something was swallowed stays silent for ever.
        """
        self._is_silent = True

    def resume(self) -> None:
        """Serve lines again that are new, or were not used meanwhile."""
        self._is_silent = False

    def close(self) -> None:
        """Cut every line."""
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target_port))
                self._sockets += [client, server]
                Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        is_dead = False
        with suppress(OSError, ValueError), client, server:
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(_CHUNK)
                    is_dead = is_dead or self._is_silent or _take(self._silent_words, data)
                    if not data:
                        return
                    if is_dead:
                        continue
                    (server if source is client else client).sendall(data)
                    if source is client and _take(self._cut_words, data):
                        # What the server says now is never passed on.
                        server.recv(_CHUNK)
                        return


def _take(words: list[bytes], data: bytes) -> bool:
    found = [word for word in words if word in data]
    for word in found:
        words.remove(word)
    return bool(found)
