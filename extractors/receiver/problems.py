"""Why a request was refused, as JSON that a sender can act on; never with a value that was sent."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from extractors.receiver.metrics import Metrics
from perennial.errors import LandingError, PerennialError, SettingsError

_log = logging.getLogger(__name__)


class Rejected(BaseModel):
    """An event of a list that was not kept."""

    index: int
    reason: str
    field: str | None = None


class ProblemBody(BaseModel):
    """The body of every refusal; ``rejected`` names each event of a list of which none could be kept."""

    error: str
    reason: str
    fix: str
    field: str | None = None
    rejected: list[Rejected] | None = None


class Problem(Exception):  # noqa: N818  # it becomes an answer, not a failure of ours
    """A refusal: status, a stable word for it, what is wrong and what the sender can do.

    ``retry_after`` is in seconds; ``closes`` ends the connection: the sender may still be sending.
    """

    retry_after: int | None = None
    closes = False

    def __init__(  # noqa: PLR0913, PLR0917  # what its answer has
        self,
        status: HTTPStatus,
        error: str,
        reason: str,
        fix: str,
        field: str | None = None,
        rejected: list[Rejected] | None = None,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.body = ProblemBody(error=error, reason=reason, fix=fix, field=field, rejected=rejected)


def unauthorized(reason: str, fix: str) -> Problem:
    """Refuse a sender that did not prove who it is; nothing of the body is kept."""
    return Problem(HTTPStatus.UNAUTHORIZED, "unauthorized", reason, fix)


def malformed(reason: str, fix: str, field: str | None = None) -> Problem:
    """Refuse a body that can't be what the sender meant."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "malformed", reason, fix, field)


def too_large(reason: str, fix: str) -> Problem:
    """Refuse a body beyond the limits."""
    problem = Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", reason, fix)
    problem.closes = True
    return problem


def too_many(reason: str, fix: str, retry_after: int) -> Problem:
    """Refuse a sender that sends more than its share."""
    problem = Problem(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", reason, fix)
    problem.retry_after = retry_after
    return problem


def unavailable(reason: str, fix: str) -> Problem:
    """Refuse what can't be taken now; the sender keeps it and sends it again."""
    problem = Problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", reason, fix)
    problem.retry_after = 1
    return problem


def too_slow(reason: str, fix: str) -> Problem:
    """Refuse a body that does not come to its end."""
    problem = unavailable(reason, fix)
    problem.closes = True
    return problem


REFUSALS: dict[int | str, dict[str, Any]] = {
    status.value: {"model": ProblemBody, "description": description}
    for status, description in (
        (HTTPStatus.UNAUTHORIZED, "The sender did not prove who it is; nothing was kept."),
        (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large; nothing was kept."),
        (HTTPStatus.UNPROCESSABLE_ENTITY, "The body is malformed; nothing was kept."),
        (
            HTTPStatus.TOO_MANY_REQUESTS,
            "More than one sender may send; nothing was kept: send it again after the seconds of Retry-After.",
        ),
        (HTTPStatus.SERVICE_UNAVAILABLE, "Not now, or not set up; nothing was kept: send it again later."),
    )
}


def install(app: FastAPI, metrics: Metrics) -> None:
    """Answer every refusal and failure of an app in the one form, and count it."""

    def answer(request: Request, problem: Problem) -> JSONResponse:
        metrics.refused(request.url.path, problem.status)
        headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after else {}
        if problem.closes:
            headers["Connection"] = "close"
        body = problem.body.model_dump(exclude_none=True)
        return JSONResponse(body, status_code=problem.status, headers=headers)

    @app.exception_handler(Problem)
    async def refused(request: Request, error: Problem) -> JSONResponse:
        return answer(request, error)

    @app.exception_handler(SettingsError)
    async def not_set_up(request: Request, error: SettingsError) -> JSONResponse:
        return answer(request, unavailable(error.cause, error.fix))

    @app.exception_handler(LandingError)
    @app.exception_handler(PerennialError)
    async def not_stored(request: Request, error: PerennialError) -> JSONResponse:
        _log.error("a payload could not be stored: %s", error)
        reason = "the payload could not be stored and was not kept"
        return answer(
            request, unavailable(reason, "send it again; the receiver's log says what must be mended")
        )

    @app.exception_handler(HTTPException)
    async def not_served(request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        fix = "the paths and methods that are served are listed at /openapi.json"
        word = status.phrase.lower().replace(" ", "_")
        response = answer(request, Problem(status, word, status.phrase.lower(), fix))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        _log.error("a request to %s failed", request.url.path, exc_info=error)
        problem = Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal",
            "the receiver failed; nothing was kept",
            "send it again",
        )
        return answer(request, problem)
