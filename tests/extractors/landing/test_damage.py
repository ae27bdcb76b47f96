"""Full disks, crashes and damaged files: an error that names the fix, and nothing else stops."""

import subprocess
import sys
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from extractors.landing import inspect
from extractors.landing.log import LandingLog
from perennial.errors import LandingError
from tests.extractors.landing.samples import cart, order

# The limit makes the kernel refuse to write on, as a full disk does, for any user on any file system.
_LIMITED = """
import resource, sys
from extractors.landing.log import LandingLog
from perennial.errors import LandingError
from tests.extractors.landing.samples import cart
import random
log = LandingLog(sys.argv[1])
log.append("b/1", [cart(1)])
noise = "".join(random.Random(1).choices("0123456789abcdefghijklmnopqrstuvwxyz", k=200_000))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    log.append("b/2", [cart(2, noise)])
except LandingError as error:
    print(error)
else:
    sys.exit("the limit did not bite")
print("last", log.last_seq())
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print("then", log.append("b/2", [cart(2, noise)]).seq, log.append("b/3", [cart(3)]).seq)
"""


@pytest.mark.parametrize("limit", [50_000, 100], ids=["in the parquet file", "before anything"])
def test_a_full_disk_is_named_leaves_nothing_half_written_and_the_next_append_works(
    tmp_path: Path, limit: int
) -> None:
    """The kernel refuses a real write; afterwards the same append lands once."""
    root = tmp_path / "landing"
    run = subprocess.run(  # our own interpreter and text
        [sys.executable, "-c", _LIMITED, str(root), str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    cause, fix, last, then = run.stdout.splitlines()
    assert "batch b/2 could not land" in cause
    assert "larger than this process may write" in cause
    assert "lands once" in fix
    assert last == "last 1"
    assert then == "then 2 3"
    assert len(list(LandingLog(str(root)).read("jane", "cart_status"))) == 3
    assert len(list((root / "batches").rglob("*.parquet"))) == 3
    assert list((root / "tmp").iterdir()) == []


def test_a_refused_disk_names_the_reason(tmp_path: Path) -> None:
    """A root that can not be a folder is an error of the landing log, not a traceback."""
    (tmp_path / "landing").write_text("a file where the folder should be")
    with pytest.raises(LandingError, match="batch b/1 could not land"):
        LandingLog(str(tmp_path / "landing")).append("b/1", [cart(1)])


# Stops a writer at a line, as a power cut would: no handler runs.
_KILLED = """
import os, signal, sys
from extractors.landing.local_store import LocalStore
from extractors.landing.log import LandingLog
from extractors.landing.manifest import Manifest
from tests.extractors.landing.samples import cart
log = LandingLog(sys.argv[1])
log.append("b/1", [cart(1)])
def die(*ignored):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "before the entry":
    LocalStore.create = die
else:
    Manifest.extend_checkpoint = die
log.append("b/2", [cart(2)])
"""


@pytest.mark.parametrize("line", ["before the entry", "after the entry"])
def test_a_crash_in_the_middle_of_an_append_leaves_one_batch_after_the_retry(
    tmp_path: Path, line: str
) -> None:
    """Either side of the commit point, SIGKILL included."""
    root = tmp_path / "landing"
    run = subprocess.run([sys.executable, "-c", _KILLED, str(root), line], check=False)  # as above
    assert run.returncode == -9
    (root / "tmp/of-the-dead").write_bytes(b"half")
    log = LandingLog(str(root))
    files = list((root / "batches").rglob("*.parquet"))
    assert len(files) == 2
    assert log.last_seq() == (1 if line == "before the entry" else 2)
    assert log.append("b/2", [cart(2)]).seq == 2
    assert log.append("b/3", [cart(3)]).seq == 3
    assert [record.source_key for record in log.read("jane", "cart_status")] == ["key-1", "key-2", "key-3"]
    assert len(list((root / "batches").rglob("*.parquet"))) == 3
    assert list((root / "tmp").iterdir()) == []


def test_an_orphan_is_removed_by_the_append_that_takes_its_seq(tmp_path: Path) -> None:
    """Readers never see it, because they never list a folder."""
    root = tmp_path / "landing"
    log = LandingLog(str(root))
    log.append("b/1", [cart(1)])
    orphan = root / "batches/000000000/000000000002-0badf00d.parquet"
    orphan.write_bytes(b"torn")
    assert len(log.files()) == 1
    log.append("b/2", [cart(2)])
    assert not orphan.exists()
    assert [record.seq for record in log.read("jane", "cart_status")] == [1, 2]


def _damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "torn":
        path.write_bytes(content[: len(content) // 2])
    elif how == "flipped":
        middle = len(content) // 4
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :])
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["torn", "flipped", "empty", "gone"])
def test_a_damaged_file_is_named_and_nothing_else_stops(tmp_path: Path, how: str) -> None:
    """Other streams, earlier batches and new appends go on; a restored file is read again."""
    root = tmp_path / "landing"
    log = LandingLog(str(root))
    log.append("b/1", [cart(1)])
    bad = root / log.append("b/2", [cart(number) for number in range(2_000)]).path
    log.append("b/3", [order(3)])
    whole = bad.read_bytes()
    _damage(bad, how)
    with pytest.raises(LandingError, match=bad.name) as caught:
        list(LandingLog(str(root)).read("jane", "cart_status"))
    assert "restore that file" in caught.value.fix
    assert "key-" not in str(caught.value)
    assert [record.seq for record in log.read("jane", "cart_status", upto=1)] == [1]
    assert [record.seq for record in log.read("flowhub", "orders")] == [3]
    assert log.append("b/4", [cart(4)]).seq == 4
    bad.write_bytes(whole)
    assert len(list(log.read("jane", "cart_status"))) == 2_002


@pytest.mark.parametrize("how", ["torn", "empty"])
def test_a_damaged_entry_is_named_and_can_be_made_anew(
    tmp_path: Path,
    how: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every Parquet file carries what its entry said."""
    root = tmp_path / "landing"
    log = LandingLog(str(root))
    log.append("b/1", [cart(1)])
    lost = log.append("b/2", [cart(2), order(2)])
    _damage(root / "manifest/000000000002.json", how)
    reader = LandingLog(str(root))
    with pytest.raises(LandingError, match=r"000000000002\.json is damaged") as caught:
        reader.batches()
    assert "--repair 2" in caught.value.fix
    assert [batch.seq for batch in reader.batches(upto=1)] == [1]
    assert reader.append("b/3", [cart(3)]).seq == 3
    assert [batch.seq for batch in reader.batches(after=2)] == [3]

    assert inspect.main([str(root), "--verify"]) == 1
    assert "1 problems" in capsys.readouterr().out
    assert inspect.main([str(root), "--repair", "2"]) == 0
    assert [batch.seq for batch in reader.batches()] == [1, 2, 3]
    assert reader.batches()[1] == lost
    assert inspect.main([str(root), "--verify"]) == 0
    assert inspect.main([str(root)]) == 0
    assert "b/2" in capsys.readouterr().out


def test_a_damaged_checkpoint_says_what_to_do(tmp_path: Path) -> None:
    """It is made of the entries, so that it may be deleted."""
    root = tmp_path / "landing"
    log = LandingLog(str(root))
    log.append("b/1", [cart(1)])
    (root / "manifest/checkpoint.json").write_text("{")
    with pytest.raises(LandingError, match=r"checkpoint\.json is missing or damaged") as caught:
        log.last_seq()
    assert "delete" in caught.value.fix
    (root / "manifest/checkpoint.json").unlink()
    assert log.last_seq() == 1


def test_the_loser_of_a_race_takes_the_next_seq_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On object storage the conditional create alone decides."""
    url = "memory://race/landing"
    log, rival = LandingLog(url), LandingLog(url)
    pipe = MemoryFileSystem.pipe_file
    raced: list[str] = []

    def slow(self: MemoryFileSystem, path: str, value: bytes, mode: str = "overwrite") -> None:
        pipe(self, path, value, mode=mode)
        if path.endswith(".parquet") and not raced:
            raced.append(path)
            # The rival is on another machine: no lock of this process holds it back.
            rival._commit(*rival._draft(1, "rival", [cart(1)]), [cart(1)])  # noqa: SLF001

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", slow)
    assert log.append("mine", [cart(2)]).seq == 2
    assert [batch.name for batch in log.batches()] == ["rival", "mine"]
    assert len([path for path in MemoryFileSystem().find("/race") if path.endswith(".parquet")]) == 2
    assert [record.seq for record in log.read("jane", "cart_status")] == [1, 2]


def test_a_file_system_without_a_conditional_create_is_refused(tmp_path: Path) -> None:
    """One that looks first and writes then would lose batches without a word."""
    with pytest.raises(LandingError, match="can't create a file only where none is") as caught:
        LandingLog(f"simplecache::file://{tmp_path}")
    assert "PERENNIAL_LANDING_URL" in caught.value.cause
