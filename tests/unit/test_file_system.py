"""Where a SQLite ledger may lie: the file system is read from what Linux says of its mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent.errors import LedgerError
from consent.ledger._file_system import check_file_system, find_type

MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
30 27 0:40 / /srv rw,relatime shared:5 master:2 - nfs4 server:/export rw,vers=4.2
31 30 254:1 / /srv/local rw - xfs /dev/vdb rw
32 27 0:41 / /mnt/my\040share rw - cifs //nas/share rw
33 27 0:42 / /mnt/twice rw - nfs server:/old rw
34 27 254:2 / /mnt/twice rw - btrfs /dev/vdc rw
35 27 0:43 / /mnt/far rw - fuse.sshfs user@host: rw
36 27 0:44 / /mnt/near rw - fuse.bindfs /data rw
a line of a kernel yet to come
"""


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/var/lib/site", "ext4"),
        ("/srv", "nfs4"),
        ("/srv/site", "nfs4"),
        ("/srvsite", "ext4"),
        ("/srv/local/site", "xfs"),
        ("/mnt/my share", "cifs"),
        ("/mnt/twice", "btrfs"),
        ("/proc", "proc"),
    ],
)
def test_type_is_that_of_the_nearest_mount(folder, expected):
    assert find_type(Path(folder), MOUNTS) == expected


def test_type_is_unknown_where_no_mount_is_known():
    assert find_type(Path("/var/lib/site"), "") == ""


def test_link_to_a_share_is_followed(tmp_path):
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    mounts = f"27 1 254:0 / / rw - ext4 /dev/vda rw\n30 27 0:40 / {tmp_path.resolve() / 'share'} rw - nfs server:/ rw\n"

    assert find_type(tmp_path / "link", mounts) == "nfs"


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "lustre", "fuse.sshfs", "fuse.s3fs"])
def test_network_file_system_is_refused_by_name(tmp_path, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"27 1 0:40 / / rw - {kind} somewhere rw\n")

    with pytest.raises(LedgerError) as caught:
        check_file_system(tmp_path, mounts)

    assert caught.value.reason == "unsupported"
    assert str(caught.value) == (
        f"The ledger's folder '{tmp_path}' is on a network file system ({kind}), where SQLite can lose what it has "
        "acknowledged. Put the file on a local disk, or set CONSENT_LEDGER to a PostgreSQL database."
    )


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuse.bindfs", "fuseblk"])
def test_local_file_system_is_accepted(tmp_path, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"27 1 0:40 / / rw - {kind} somewhere rw\n")

    check_file_system(tmp_path, mounts)


def test_system_that_does_not_tell_its_mounts_is_not_asked(tmp_path):
    check_file_system(tmp_path, tmp_path / "missing")
