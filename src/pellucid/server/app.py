"""The paths of the server."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from pellucid.errors import PellucidError
from pellucid.server import schemas
from pellucid.server.body import read_body
from pellucid.server.guard import NOTES, Guard
from pellucid.server.page import HEADERS, page
from pellucid.server.refusal import Refused, as_json, problem
from pellucid.server.service import Service
from pellucid.version import __version__

UNFIT = 422  # the status of samples that cannot be read, or do not fit the model
ABOUT = """Predictions of trained models. Every refusal is JSON: `{"error": why, "status": number}`."""


def create_app(service: Service) -> FastAPI:
    """Return the ASGI application of a service.

    FastAPI declares the paths and writes the OpenAPI document. Its functions take the request as it comes, and
    ``/predict`` answers in bytes that are JSON already: to have FastAPI check the query and each number of an
    answer would take longer than to predict it. Its page of documentation loads scripts from elsewhere, so that
    there is one of our own.
    """
    app = FastAPI(
        title="pellucid",
        version=__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(Guard, service=service)
    app.add_exception_handler(PellucidError, _refuse)
    app.add_exception_handler(HTTPException, _refuse_path)

    @app.post(
        "/predict",
        summary="Predict the samples of the request",
        response_model=schemas.Answer,
        responses=schemas.refusals(*schemas.DOOR, 400, 404, 408, 413, 415, 422, 429, 503),
        openapi_extra={"parameters": schemas.WHICH_MODEL, "requestBody": schemas.BODIES},
    )
    async def predict(request: Request) -> Response:
        """Images: one as the body, or some in the field 'image' of a form. Arrays and rows of tables: JSON."""
        served = service.find(request.query_params.get("model"))
        headers = request.headers
        length = headers.get("content-length", "")
        declared = int(length) if length.isdecimal() else None
        most = service.options.body_bytes
        with service.admitted(most if declared is None else min(declared, most)):
            body = await read_body(request.receive, declared, most=most, seconds=service.options.read_seconds)
            found = await service.predict(served, headers.get("content-type", ""), body)
        request.scope[NOTES] |= {
            "model": served.name,
            "bytes": len(body),
            "samples": len(found.predictions),
            "batch": found.n_together,
        }
        answer: dict[str, Any] = {
            "model": served.name,
            "predictions": [each.to_dict() for each in found.predictions],
        }
        if found.notes:
            answer["notes"] = list(found.notes)
        return Response(as_json(answer), media_type="application/json")

    @app.get(
        "/model",
        summary="One model: its classes, layers, format and hash",
        response_model=schemas.Model,
        responses=schemas.refusals(*schemas.DOOR, 400, 404),
        openapi_extra={"parameters": schemas.WHICH_MODEL},
    )
    async def model_card(request: Request) -> Response:
        served = service.find(request.query_params.get("model"))
        return Response(as_json(served.describe()), media_type="application/json")

    @app.get(
        "/models",
        summary="The names of all models",
        response_model=schemas.Models,
        responses=schemas.refusals(*schemas.DOOR),
    )
    async def model_names() -> dict[str, list[str]]:
        return {"models": list(service.models)}

    @app.get(
        "/healthz",
        summary="Whether the server lives",
        response_model=schemas.State,
        responses=schemas.refusals(405),
        openapi_extra={"security": []},
    )
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/readyz",
        summary="Whether every model has predicted once",
        response_model=schemas.State,
        responses=schemas.refusals(405, 503),
        openapi_extra={"security": []},
    )
    async def readyz() -> dict[str, str]:
        if not service.is_ready:
            raise Refused(503, "the models are being warmed up.", {"retry-after": "1"})
        return {"status": "ready"}

    @app.get("/", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        return HTMLResponse(
            page(app.openapi(), [*service.models.values()], has_form=not service.token), headers=HEADERS
        )

    if service.token:
        document = app.openapi()
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, Refused) else UNFIT
    headers = error.headers if isinstance(error, Refused) else None
    return _problem(request, status, str(error), headers)


async def _refuse_path(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = {
        404: "there is no such path. GET / lists those that there are.",
        405: f"{request.method} is not for this path. GET / lists what is.",
    }.get(error.status_code, str(error.detail))
    return _problem(request, error.status_code, message, dict(error.headers or {}))


def _problem(request: Request, status: int, message: str, headers: dict[str, str] | None) -> Response:
    request.scope[NOTES]["error"] = message
    return Response(problem(status, message), status, headers=headers, media_type="application/json")
