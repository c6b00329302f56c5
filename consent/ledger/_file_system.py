"""Which file systems a SQLite ledger may lie on."""

from __future__ import annotations

import re
from pathlib import Path

from consent.errors import LedgerError

MOUNTS = Path("/proc/self/mountinfo")

# Their locks or their shared memory do not reach every machine that can open the file. Source:
# https://www.sqlite.org/wal.html section 1, "WAL does not work over a network filesystem".
_NETWORK_TYPES = frozenset(
    {
        *("9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "gfs", "gfs2", "glusterfs", "gpfs"),
        *("lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf"),
        *("vmhgfs", "wekafs"),
    }
)
_NETWORK_PROGRAMS = frozenset(
    {
        *("ceph", "ceph-fuse", "cephfs", "cifs", "curlftpfs", "davfs2", "gcsfuse", "glusterfs", "goofys", "juicefs"),
        *("moosefs", "rclone", "s3fs", "seaweedfs", "smbnetfs", "sshfs", "vmhgfs-fuse"),
    }
)
_ESCAPE = re.compile(r"\\([0-7]{3})")


def check_file_system(folder: Path, mounts: Path = MOUNTS) -> None:
    """Refuse a folder on a network file system. Where the system does not say what is mounted, nothing is refused.

    Raises:
        LedgerError: If the folder is on one.
    """
    try:
        kind = find_type(folder, mounts.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        return
    if kind in _NETWORK_TYPES or (kind.startswith("fuse.") and kind.removeprefix("fuse.") in _NETWORK_PROGRAMS):
        raise LedgerError(
            f"The ledger's folder '{folder}' is on a network file system ({kind}), where SQLite can lose what it has "
            "acknowledged. Put the file on a local disk, or set CONSENT_LEDGER to a PostgreSQL database.",
            reason="unsupported",
        )


def find_type(folder: Path, mounts: str) -> str:
    """Return the type of the file system that a folder is on, such as `ext4`; empty if no mount is known to hold it.

    Args:
        mounts: The text of `/proc/self/mountinfo`, see proc_pid_mountinfo(5).
    """
    resolved = folder.resolve()
    best, found = -1, ""
    for line in mounts.splitlines():
        place, _, source = line.partition(" - ")
        fields = place.split(" ")
        if len(fields) < 6 or not source:
            continue
        point = Path(_ESCAPE.sub(lambda code: chr(int(code[1], 8)), fields[4]))
        # Of two mounts on one point the later hides the earlier.
        if resolved.is_relative_to(point) and len(point.parts) >= best:
            best, found = len(point.parts), source.split(" ")[0]
    return found
