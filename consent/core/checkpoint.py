"""The head of the log as a text to keep elsewhere: what shows later that nothing before it was changed.

Source:
    C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint) in a signed note (https://c2sp.org/signed-note), v1.0.0.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from consent.core.merkle import EMPTY_ROOT, HASH_BYTES
from consent.core.seal import INSTANT_FORMAT, Seal
from consent.errors import ProofError

SIZE_LIMIT_CHARACTERS = 65_536

# A signature that only the site itself can check has no type of its own: 0xff and a name stand for one. A verifier that does
# not know it goes by other signatures, such as a witness's.
_SIGNATURE_TYPE = b"\xfffCC/HMAC-SHA256"
_KEY_ID_BYTES = 4
_MAX_SIGNATURES = 64
_ORIGIN = re.compile(r"[^\s+]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_SEAL_LINE = re.compile(
    r"seal ([1-9][0-9]{0,17}) ([0-9a-f]{64}) ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealName:
    """Name the seal that a checkpoint was made of."""

    number: int
    seal_hash: bytes
    sealed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Hold what a checkpoint says."""

    origin: str
    """Name of the log: 1 to 200 visible characters without spaces and `+`."""

    tree_size: int
    root: bytes
    """32 bytes: the root over the first `tree_size` events."""

    seal: SealName | None
    """None where a checkpoint of another maker says nothing of it."""

    text: str
    """The lines that are signed, with the last one's end."""

    signature: str
    """The site's own signature of `text`; empty for none."""

    def write(self) -> str:
        """Return the checkpoint as it is kept: text, empty line, signature."""
        signed = b64encode(_find_key_id(self.origin) + self.signature.encode()).decode("ascii")
        return f"{self.text}\n— {self.origin} {signed}\n"


def make_checkpoint(seal: Seal, *, origin: str, sign: Callable[[bytes], str]) -> Checkpoint:
    """Return the checkpoint of a seal.

    Raises:
        ProofError: If the origin is no name for a log.
    """
    if not _is_origin(origin):
        raise ProofError(
            f"The origin of a checkpoint must be 1 to 200 visible characters without spaces and '+', got {origin!r}. Take one such as "
            "'example.com/consent'."
        )
    name = SealName(number=seal.number, seal_hash=seal.seal_hash, sealed_at=seal.sealed_at)
    root = b64encode(seal.root).decode("ascii")
    text = f"{origin}\n{seal.tree_size}\n{root}\n{_write_seal(name)}\n"
    return Checkpoint(
        origin=origin,
        tree_size=seal.tree_size,
        root=seal.root,
        seal=name,
        text=text,
        signature=sign(text.encode()),
    )


def parse_checkpoint(note: str) -> Checkpoint:
    """Read a checkpoint as `Checkpoint.write` or any other maker of the format wrote it, strictly.

    Raises:
        ProofError: If it is none.
    """
    text, signatures = _split(note)
    origin, size_text, root_text, *extensions = text.split("\n")[:-1]
    root = _decode(root_text)
    if not _is_origin(origin) or not _SIZE.fullmatch(size_text) or len(root) != HASH_BYTES or not all(extensions):
        raise _refuse("its first three lines are not an origin, a size and a hash")
    size = int(size_text)
    if not size and root != EMPTY_ROOT:
        raise _refuse("the hash is not that of a log without events")
    return Checkpoint(
        origin=origin,
        tree_size=size,
        root=root,
        seal=_read_seal(extensions, size),
        text=text,
        signature=_find_signature(origin, signatures),
    )


def _split(note: str) -> tuple[str, list[str]]:
    if len(note) > SIZE_LIMIT_CHARACTERS:
        raise _refuse(f"it has more than {SIZE_LIMIT_CHARACTERS} characters")
    # What cannot be seen, such as marks of direction, lets one text pass for another where people compare them.
    if not note.replace("\n", "").isprintable():
        raise _refuse("it holds characters that cannot be seen, such as the line ends of another system")
    text, gap, rest = note.rpartition("\n\n")
    lines = rest.split("\n")
    # What follows the last line's end is empty: a file that was cut off ends otherwise.
    if not gap or lines.pop() or not 0 < len(lines) <= _MAX_SIGNATURES or text.count("\n") < 2:
        raise _refuse("it is not three lines at least, an empty one, and signatures")
    return f"{text}\n", lines


def _find_signature(origin: str, lines: list[str]) -> str:
    """Return the site's own signature among all; those of others are for others to check."""
    found = ""
    for line in lines:
        matched = _SIGNATURE_LINE.fullmatch(line)
        if not matched or len(signed := _decode(matched[2])) <= _KEY_ID_BYTES:
            raise _refuse(f"{line[:60]!r} is no signature")
        if matched[1] == origin and signed.startswith(_find_key_id(origin)):
            found = signed[_KEY_ID_BYTES:].decode("ascii", "replace")
    return found


def _find_key_id(origin: str) -> bytes:
    # Of a secret key nothing may show: the name and the type alone say whose signature it is.
    return sha256(origin.encode() + b"\n" + _SIGNATURE_TYPE).digest()[:_KEY_ID_BYTES]


def _write_seal(name: SealName) -> str:
    return f"seal {name.number} {name.seal_hash.hex()} {name.sealed_at:{INSTANT_FORMAT}}"


def _is_origin(text: str) -> bool:
    return bool(_ORIGIN.fullmatch(text)) and text.isprintable()


def _read_seal(extensions: list[str], size: int) -> SealName | None:
    """Return what the one line of it says; no other line may begin as it does, to be read so by somebody else."""
    lines = [line for line in extensions if line.split(" ")[0] == "seal"]
    if not lines:
        return None
    matched = _SEAL_LINE.fullmatch(lines[0])
    # A seal covers one event more than the one before, at least.
    if matched is None or len(lines) > 1 or int(matched[1]) > size:
        raise _refuse("it does not name one seal, by a number up to its size, a hash and a time")
    try:
        sealed_at = datetime.strptime(matched[3], INSTANT_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise _refuse(f"{matched[3]!r} is no time") from error
    return SealName(number=int(matched[1]), seal_hash=bytes.fromhex(matched[2]), sealed_at=sealed_at)


def _decode(text: str) -> bytes:
    """Return what base64 stands for; nothing for what is not its one right spelling."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if b64encode(data).decode("ascii") == text else b""


def _refuse(reason: str) -> ProofError:
    return ProofError(
        f"The text is no checkpoint: {reason}. Take the file as it was written by: flask consent ledger checkpoint"
    )
