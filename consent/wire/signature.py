"""Signatures over what leaves the site and may come back: receipts, seals and checkpoints."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum

import itsdangerous

_SALT_PREFIX = "flask-cookie-consent"


class SignedKind(StrEnum):
    """Name what is signed: what passes for one kind passes for no other."""

    RECEIPT = "receipt"
    SEAL = "seal"
    CHECKPOINT = "checkpoint"
    ATTEMPT = "attempt"
    """What makes two posts of one page one event; it never leaves the server."""


ALGORITHM = "HMAC-SHA256"
"""What a signature is made with. Only who holds the app's keys can check it."""


class DocumentSigner:
    """Sign bytes of one kind with the newest key, and check with all.

    Source:
        itsdangerous: keys are listed oldest first, the last one signs; a salt of its own for each kind.
    """

    def __init__(self, kind: SignedKind, *, keys_oldest_first: Sequence[bytes]) -> None:
        salt = f"{_SALT_PREFIX}.{kind}"
        signer = itsdangerous.Signer(
            list(keys_oldest_first), salt=salt, key_derivation="hmac", digest_method=hashlib.sha256
        )
        # Derived once; "none" then uses the keys as they are.
        derived = [signer.derive_key(key) for key in signer.secret_keys]
        self._signer = itsdangerous.Signer(derived, salt=salt, key_derivation="none", digest_method=hashlib.sha256)

    def sign(self, data: bytes) -> str:
        """Return the signature: 43 characters of base64url."""
        return self._signer.get_signature(data).decode("ascii")

    def is_signed(self, data: bytes, signature: str) -> bool:
        """Whether one of the keys made this signature of these bytes; any other text is none."""
        return signature.isascii() and self._signer.verify_signature(data, signature.encode("ascii"))
