"""Splink with a trained model on records: ``splink_records.py RECORDS.parquet OUT.parquet``.

Run by ``benchmarks/identity/accuracy.py`` in the rivals' environment, which knows nothing of Perennial. It writes a row
for each pair that the model found likely, with its probability, and prints the seconds. The model is Splink's own way
with people: comparisons from its library with term frequencies where values are common, u by random sampling, m by
expectation maximisation, over blocks of each strong value and of pairs of weak ones.
"""

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

LIKELY = 0.05
COMPARISONS: dict[str, Callable[[], Any]] = {
    "given_name_key": lambda: cl.NameComparison("given_name_key").configure(term_frequency_adjustments=True),
    "surname_key": lambda: cl.NameComparison("surname_key").configure(term_frequency_adjustments=True),
    "birth_date": lambda: cl.DateOfBirthComparison("birth_date", input_is_string=True),
    "email": lambda: cl.EmailComparison("email").configure(term_frequency_adjustments=True),
    "phone": lambda: cl.DamerauLevenshteinAtThresholds("phone", 1).configure(term_frequency_adjustments=True),
    "medical_id": lambda: cl.DamerauLevenshteinAtThresholds("medical_id", 1),
    "device_id": lambda: cl.ExactMatch("device_id").configure(term_frequency_adjustments=True),
    "street_address": lambda: cl.LevenshteinAtThresholds("street_address", [1, 4]),
    "postal_code": lambda: cl.ExactMatch("postal_code").configure(term_frequency_adjustments=True),
}
BLOCKS = (
    ("email",), ("phone",), ("medical_id",), ("device_id",),
    ("given_name_key", "surname_key"), ("given_name_key", "birth_date"), ("surname_key", "birth_date"),
    ("birth_date", "postal_code"), ("surname_key", "postal_code"), ("street_address",),
)  # fmt: skip
TRAINING = (
    ("medical_id",), ("email",), ("phone",),
    ("given_name_key", "surname_key"), ("surname_key", "birth_date"), ("given_name_key", "birth_date"),
)  # fmt: skip


def main(records: Path, out: Path) -> None:
    """Train, predict, write."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    connection.execute(f"create table records as from '{records}'")
    given = {
        column
        for column in COMPARISONS
        if connection.execute(f"select count({column}) from records").fetchall()[0][0]  # noqa: S608 - our own names
    }
    began = time.monotonic()
    rules = [block_on(*columns) for columns in BLOCKS if given.issuperset(columns)]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_key",
        comparisons=[comparison() for column, comparison in COMPARISONS.items() if column in given],
        blocking_rules_to_generate_predictions=rules,
    )
    linker = Linker(DuckDBAPI(connection).register("records"), settings)
    training = linker.training
    certain = [
        block_on(*columns)
        for columns in (("medical_id",), ("given_name_key", "surname_key", "birth_date"))
        if given.issuperset(columns)
    ]
    training.estimate_probability_two_random_records_match(certain, recall=0.6)
    training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for columns in TRAINING:
        if given.issuperset(columns):
            training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    pairs = linker.inference.predict(threshold_match_probability=LIKELY)
    connection.execute(
        "copy (select record_key_l as one, record_key_r as other, match_probability as probability"  # noqa: S608
        f" from {pairs.physical_name}) to '{out}' (format parquet)"
    )
    print(time.monotonic() - began)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
