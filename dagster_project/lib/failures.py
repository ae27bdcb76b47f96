"""Errors that a person can act on, as Dagster shows and retries them."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from extractors.flowhub.errors import AccessRefusedError
from perennial.errors import PerennialError, SettingsError


@contextmanager
def acted_on_by_people() -> Iterator[None]:
    """Turn a ``PerennialError`` into a failure that says cause and fix.

    What another try can't mend (a refused key, a missing setting) is not tried again.
    """
    try:
        yield
    except PerennialError as error:
        raise dg.Failure(
            description=str(error),
            metadata={"cause": error.cause, "fix": error.fix},
            allow_retries=not isinstance(error, (AccessRefusedError, SettingsError)),
        ) from None
