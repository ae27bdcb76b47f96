"""What can go wrong with Flowhub beyond ``VendorError`` itself."""

from perennial.errors import VendorError

ACCESS_FORM = "https://flowhub.com/api-integration-request"


class AccessRefusedError(VendorError):
    """Flowhub answered 401 or 403: the credentials are wrong, or may not read this path."""

    def __init__(self, cause: str, fix: str, *, status: int) -> None:
        """Keep the status: a 403 on one path leaves others open."""
        super().__init__(cause, fix)
        self.status = status


class NotFoundError(VendorError):
    """Flowhub answered 404: it knows neither path nor id."""
