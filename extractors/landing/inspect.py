"""Look at a landing log by hand: ``python -m extractors.landing.inspect ROOT [--verify] [--repair SEQ]``."""

import argparse
import sys

from extractors.landing.log import LandingLog
from perennial.errors import LandingError


def main(arguments: list[str] | None = None) -> int:
    """List the newest batches; with ``--verify`` read every file, with ``--repair`` make an entry anew."""
    parser = argparse.ArgumentParser(prog="python -m extractors.landing.inspect", description=__doc__)
    parser.add_argument("root", help="the value of PERENNIAL_LANDING_URL, or <PERENNIAL_HOME>/landing")
    parser.add_argument(
        "--after", type=int, default=None, help="list batches after this seq (default: the last 20)"
    )
    parser.add_argument(
        "--verify", action="store_true", help="read every entry and every file; exit 1 if one is bad"
    )
    parser.add_argument(
        "--repair", type=int, metavar="SEQ", help="make this manifest entry anew from its file"
    )
    parser.add_argument(
        "--repair-rewrite", type=int, metavar="NUMBER", help="make this entry of a rewrite anew from its file"
    )
    wanted = parser.parse_args(arguments)
    log = LandingLog(wanted.root)
    try:
        if wanted.repair is not None:
            _say(f"entry {wanted.repair} made anew: {log.repair(wanted.repair).name}")
            return 0
        if wanted.repair_rewrite is not None:
            _say(
                f"rewrite {wanted.repair_rewrite} made anew: {log.repair_rewrite(wanted.repair_rewrite).path}"
            )
            return 0
        if wanted.verify:
            return _verify(log)
        last = log.last_seq()
        for batch in log.batches(max(0, last - 20) if wanted.after is None else wanted.after):
            streams = ", ".join(f"{stream} {rows}" for stream, rows in sorted(batch.streams.items()))
            place = f"{batch.seq:>12}  {batch.landed_at:%Y-%m-%d %H:%M:%S}  {batch.rows:>7} rows"
            _say(f"{place}  {batch.name}  [{streams}]")
    except LandingError as error:
        _say(str(error))
        return 1
    _say(f"last seq: {last}")
    return 0


def _verify(log: LandingLog) -> int:
    """Say what is wrong, entry by entry and file by file."""
    last, files, rows, problems = log.last_seq(), 0, 0, 0
    for found in log.verify():
        if isinstance(found, LandingError):
            problems += 1
            _say(str(found))
        else:
            files, rows = files + 1, rows + found.rows
    _say(f"{last} batches, {files} files and {rows} rows read, {problems} problems")
    return 1 if problems else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
