"""What an operating system's refusal means to the person who must mend it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from perennial.errors import LandingError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def landing_error(doing: str, error: OSError) -> LandingError:
    """Turn a failed write or read into an error that names cause and fix."""
    where = f" at {error.filename}" if error.filename else ""
    if error.errno in _FULL:
        return LandingError(
            f"{doing}: the disk is full{where}; nothing was kept of it and what landed before is whole",
            "free space on that disk or give it more, then do the same again: it lands once",
        )
    if error.errno == errno.EFBIG:
        return LandingError(
            f"{doing}: the file would be larger than this process may write{where}; nothing was kept of it",
            "raise the file size limit (ulimit -f), then do the same again: it lands once",
        )
    if error.errno in _FORBIDDEN:
        return LandingError(
            f"{doing}: not permitted{where}",
            "let the user that runs Perennial write there, or point PERENNIAL_LANDING_URL elsewhere",
        )
    return LandingError(
        f"{doing}: {error.strerror or type(error).__name__}{where}",
        "see that PERENNIAL_LANDING_URL and PERENNIAL_HOME can be written, then do the same again",
    )


@contextmanager
def reading(address: str, seq: int) -> Iterator[None]:
    """Turn what goes wrong while a landed file is read into an error that names it."""
    try:
        yield
    except (OSError, ValueError, pa.ArrowException) as error:
        raise LandingError(
            f"the landing file {address} (seq {seq}) is missing or damaged: {type(error).__name__}",
            "restore that file from a backup; all others can be read and new batches land meanwhile",
        ) from error
