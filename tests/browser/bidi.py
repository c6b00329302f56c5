"""WebDriver BiDi: one session of commands and events over a websocket.

Source: https://www.w3.org/TR/webdriver-bidi/
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection

TIMEOUT_SECONDS: Final = 20.0


class BidiError(RuntimeError):
    """A command that Firefox refused."""

    def __init__(self, command: str, error: str, message: str) -> None:
        """Keep the BiDi error code beside the sentence."""
        super().__init__(f"{command} failed with {error!r}: {message}")
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request over HTTP that a page was about to send."""

    url: str
    method: str
    headers: Mapping[str, str]
    """Lower-case header name to value."""

    @property
    def host(self) -> str:
        """Host name without port."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line of the console: what a page wrote, or an error that nobody caught."""

    text: str
    is_uncaught: bool


class Connection:
    """One BiDi session: commands out, answers and events in."""

    def __init__(self, socket: ClientConnection) -> None:
        self.requests: list[Request] = []
        self.messages: list[Message] = []
        self._socket = socket
        self._ids = itertools.count(1)

    def send(self, command: str, /, **params: object) -> Any:
        """Send one command and wait for its answer.

        Raises:
            BidiError: If Firefox refuses the command.
            TimeoutError: If no answer comes in time.
        """
        command_id = next(self._ids)
        self._socket.send(json.dumps({"id": command_id, "method": command, "params": params}))
        answer = self._receive_answer(command_id)
        if answer["type"] == "error":
            raise BidiError(command, answer["error"], answer["message"])
        return answer["result"]

    def _receive_answer(self, command_id: int) -> Mapping[str, Any]:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            received = self._socket.recv(timeout=max(0.0, deadline - time.monotonic()))
            message: Mapping[str, Any] = json.loads(received)
            if message.get("id") == command_id:
                return message
            if message.get("method") == "network.beforeRequestSent":
                self._note_request(message["params"])
            if message.get("method") == "log.entryAdded":
                self._note_message(message["params"])

    def _note_request(self, params: Mapping[str, Any]) -> None:
        request = params["request"]
        # No context: Firefox's own traffic, not the page's.
        if params["context"] and urlsplit(request["url"]).scheme in {"http", "https"}:
            headers = {item["name"].lower(): item["value"].get("value", "") for item in request["headers"]}
            self.requests.append(Request(url=request["url"], method=request["method"], headers=headers))

    def _note_message(self, params: Mapping[str, Any]) -> None:
        text, is_uncaught = params["text"] or "", params["type"] == "javascript"
        self.messages.append(Message(text=text, is_uncaught=is_uncaught))
