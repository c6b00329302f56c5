"""A checkpoint is a C2SP tlog-checkpoint, and nothing else passes for one."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from consent.core.checkpoint import Checkpoint, SealName, make_checkpoint, parse_checkpoint
from consent.core.seal import Seal
from consent.errors import ProofError
from tests.conftest import NOW

SEAL = Seal(
    number=7,
    tree_size=20_852_163,
    root=sha256(b"root").digest(),
    previous_hash=sha256(b"previous").digest(),
    sealed_at=NOW,
    seal_hash=sha256(b"seal").digest(),
    signature="",
)
ROOT = b64encode(SEAL.root).decode()
EMPTY_HASH = b64encode(sha256().digest()).decode()
SEAL_LINE = f"seal 7 {SEAL.seal_hash.hex()} 2026-08-31T12:00:00Z"
TEXT = f"example.com/consent\n20852163\n{ROOT}\n{SEAL_LINE}\n"
# The example of the specification.
FOREIGN = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""


def sign(data):
    return f"signature-of-{sha256(data).hexdigest()}"


def make():
    return make_checkpoint(SEAL, origin="example.com/consent", sign=sign)


def test_text_is_origin_size_root_and_seal():
    assert make().text == TEXT


def test_signature_line_has_the_origin_and_the_id_of_our_type_of_key():
    signature_line = make().write().removeprefix(f"{TEXT}\n")
    key_id = sha256(b"example.com/consent\n\xfffCC/HMAC-SHA256").digest()[:4]

    assert signature_line == f"— example.com/consent {b64encode(key_id + sign(TEXT.encode()).encode()).decode()}\n"


def test_what_was_written_is_read_back():
    assert parse_checkpoint(make().write()) == make()
    assert make().seal == SealName(number=7, seal_hash=SEAL.seal_hash, sealed_at=NOW)


def test_checkpoint_of_another_maker_is_read_without_seal_and_signature():
    checkpoint = parse_checkpoint(FOREIGN)

    assert checkpoint == Checkpoint(
        origin="example.com/behind-the-sofa",
        tree_size=20_852_163,
        root=checkpoint.root,
        seal=None,
        text=FOREIGN.partition("\n\n")[0] + "\n",
        signature="",
    )
    assert checkpoint.root.hex().startswith("0ac5186a91863e8e")


def test_signatures_of_others_are_passed_over():
    witness = FOREIGN.splitlines(keepends=True)[-1]

    assert parse_checkpoint(make().write() + witness) == make()
    assert parse_checkpoint(f"{TEXT}\n{witness}").signature == ""


def test_unknown_lines_after_the_third_are_passed_over():
    note = make().write().replace(SEAL_LINE, f"something else\n{SEAL_LINE}\nand more")

    assert parse_checkpoint(note).seal == make().seal


def test_words_that_only_begin_as_a_seal_s_line_does_are_another_s():
    note = make().write().replace(SEAL_LINE, f"{SEAL_LINE}\nsealing 3")

    assert parse_checkpoint(note).seal == make().seal


def test_empty_log_has_a_checkpoint():
    empty = FOREIGN.replace("20852163", "0").replace("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", EMPTY_HASH)

    assert parse_checkpoint(empty).tree_size == 0


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "a\nb", "a\u2028b", "a\x00b", "a\u202eb", "x" * 201])
def test_origin_that_could_be_read_otherwise_is_refused(origin):
    with pytest.raises(ProofError, match=r"^The origin of a checkpoint must be 1 to 200 visible characters"):
        make_checkpoint(SEAL, origin=origin, sign=sign)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("20852163", "020852163"),
        ("20852163", "-1"),
        ("20852163", "+1"),
        ("20852163", " 1"),
        ("20852163", "1e3"),
        ("20852163", "١"),
        ("20852163", "9" * 19),
        ("20852163", ""),
        ("20852163", "0"),
        ("20852163", "6"),
        ("example.com/consent\n208", "\n208"),
        ("example.com/consent\n208", "example.com consent\n208"),
        ("example.com/consent\n208", "example.com+consent\n208"),
        ("example.com/consent\n208", f"{'x' * 201}\n208"),
        ("consent\n", "con\x7fsent\n"),
        ("consent\n", "con\u2028sent\n"),
        ("consent\n", "con\u202esent\n"),
        ("consent\n", "con\ud800sent\n"),
        (SEAL_LINE, f"{SEAL_LINE}\nand \u2066more"),
        (ROOT, ROOT[:-1]),
        (ROOT, ROOT[:-4]),
        (ROOT, f"{ROOT[:-2]}{'B' if ROOT[-2] != 'B' else 'C'}="),
        (ROOT, b64encode(bytes(31)).decode()),
        (ROOT, b64encode(bytes(33)).decode()),
        (ROOT, ""),
        (f"{ROOT}\n", f"{ROOT}\n\n"),
        (SEAL_LINE, SEAL_LINE.replace("08-31", "02-31")),
        (SEAL_LINE, f"{SEAL_LINE}\n{SEAL_LINE}"),
        (SEAL_LINE, f"{SEAL_LINE}\nseal 8"),
        (SEAL_LINE, SEAL_LINE.replace("seal 7", "seal 07")),
        (SEAL_LINE, SEAL_LINE.replace("seal 7", "seal 20852164")),
        (SEAL_LINE, SEAL_LINE.replace("seal 7", "seal  7")),
        (SEAL_LINE, SEAL_LINE.upper().replace("SEAL", "seal")),
        (SEAL_LINE, "seal"),
        ("\n", "\r\n"),
        ("consent\n", "consent\t\n"),
        ("consent\n", "\x1b[2Jconsent\n"),
        ("\n\n", "\n"),
        ("— ", "- "),
        ("— ", "—"),
        ("— example.com/consent ", "— example.com/consent  "),
        ("— example.com/consent ", "— exam+ple "),
    ],
)
def test_what_is_no_checkpoint_is_refused(old, new):
    note = make().write()
    assert old in note

    with pytest.raises(
        ProofError, match=r"^The text is no checkpoint: .+\. Take the file as it was written by: flask consent"
    ):
        parse_checkpoint(note.replace(old, new))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        "a\n1\n\n— a aaaaaaaa\n",
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}\n— a\n",
        f"{TEXT}\n— a QQ==\n",
        f"{TEXT}\n— a AAAAAAA=",
        "\ufeff" + FOREIGN.replace("\n", "\r"),
        "x" * 70_000,
        FOREIGN + FOREIGN.splitlines(keepends=True)[-1] * 64,
    ],
)
def test_pieces_of_a_checkpoint_are_refused(note):
    with pytest.raises(ProofError, match="is no checkpoint"):
        parse_checkpoint(note)


def test_file_that_was_cut_off_anywhere_is_refused():
    note = make().write()
    # Cut within the last line, base64 may end in a right place; the line's own end is missing then.
    for length in range(len(note)):
        with pytest.raises(ProofError):
            parse_checkpoint(note[:length])


def test_doctored_text_is_not_what_was_signed():
    checkpoint = parse_checkpoint(make().write().replace("20852163", "20852164"))

    assert checkpoint.signature != sign(checkpoint.text.encode())
    assert replace(make(), signature="").write() != make().write()
