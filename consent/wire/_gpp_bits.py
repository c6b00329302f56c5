"""Bits of a GPP string: fixed integers and Fibonacci codes, as base64url without padding characters.

Source: IAB Tech Lab, Global Privacy Platform String 1.0, "Creating a GPP string" and "Section encoding".
"""

from __future__ import annotations

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_VALUES = {character: format(value, "06b") for value, character in enumerate(_ALPHABET)}
_LONGEST_CODE = 20
"""Bits of a Fibonacci code that are read at most; enough for 10,000, while the registered ids end below 100."""


def pack_bits(bits: str) -> str:
    """Write a text of `0` and `1` as base64url, padded as the reference encoder pads it.

    The specification pads to six bits; the IAB's own package to eight, and then to six. Readers take both, and what is to
    be compared with that package's strings must look like them.
    """
    padded = bits.ljust(_reference_length(len(bits)), "0")
    return "".join(_ALPHABET[int(padded[at : at + 6], 2)] for at in range(0, len(padded), 6))


def encode_int(value: int, size_bits: int) -> str:
    """Write an integer of a fixed size."""
    return format(value, f"0{size_bits}b")


def encode_fibonacci(value: int) -> str:
    """Write an integer from 1 on as a sum of Fibonacci numbers, the smallest first, closed by a second `1`."""
    numbers = [1, 2]
    while numbers[-1] <= value:
        numbers.append(numbers[-1] + numbers[-2])
    bits = ""
    for number in reversed(numbers[:-1] if numbers[-1] > value else numbers):
        bits = ("1" if number <= value else "0") + bits
        value -= number if number <= value else 0
    return bits + "1"


class BitReader:
    """Read a base64url text from its first bit on; every mistake in it is a ValueError."""

    def __init__(self, text: str) -> None:
        strange = next((character for character in text if character not in _VALUES), None)
        if strange is not None:
            raise ValueError(
                f"A GPP string may hold letters, digits, '-' and '_' between its dots and tildes, got {strange!r}."
            )
        self._bits = "".join(map(_VALUES.__getitem__, text))
        self._position = 0

    def read_int(self, size_bits: int) -> int:
        """Read an integer of a fixed size."""
        return int(self._take(size_bits), 2)

    def read_fibonacci(self) -> int:
        """Read a Fibonacci code."""
        total, number, following, last = 0, 1, 2, ""
        for _ in range(_LONGEST_CODE):
            bit = self._take(1)
            if bit == last == "1":
                return total
            total += number if bit == "1" else 0
            number, following, last = following, number + following, bit
        raise ValueError(
            f"A Fibonacci code of the GPP string must end within {_LONGEST_CODE} bits, and this one does not."
        )

    def finish(self) -> None:
        """Check that nothing but padding is left: of the specification's length, or of the reference encoder's."""
        allowed = {_round_up(self._position, 6), _reference_length(self._position)}
        if len(self._bits) not in allowed or "1" in self._bits[self._position :]:
            raise ValueError("A part of the GPP string holds more than its fields. Take the string as it was made.")

    def _take(self, size_bits: int) -> str:
        end = self._position + size_bits
        if end > len(self._bits):
            raise ValueError("A part of the GPP string ends before its last field. Take the string as it was made.")
        bits = self._bits[self._position : end]
        self._position = end
        return bits


def _round_up(length: int, step: int) -> int:
    return -(-length // step) * step


def _reference_length(length: int) -> int:
    return _round_up(_round_up(length, 8), 6)
