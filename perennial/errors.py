"""Errors that a person can act on."""


class PerennialError(Exception):
    """Something a person must mend: says the cause and the next step.

    Texts never carry secrets or personal data: they name fields, files and ids, not their values.
    """

    def __init__(self, cause: str, fix: str) -> None:
        """Join what went wrong and what to do about it."""
        super().__init__(f"{cause}\n  → {fix}")
        self.cause = cause
        self.fix = fix


class SettingsError(PerennialError):
    """A setting is missing or malformed."""


class LandingError(PerennialError):
    """The landing log can't be written or read."""


class VendorError(PerennialError):
    """A vendor's API refused or is down."""
