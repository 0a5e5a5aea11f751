"""The paths of the server."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException as StarletteException

from pellucid.errors import PellucidError
from pellucid.server import schemas
from pellucid.server.access import check_local, check_token
from pellucid.server.body import read_body, read_form
from pellucid.server.logs import NOTES, LogRequests
from pellucid.server.page import HEADERS, page
from pellucid.server.service import Service
from pellucid.version import __version__

UNFIT = 422  # the status of samples that cannot be read, or do not fit the model
ModelName = Annotated[
    str | None, Query(description="The model's name; may be left out where there is one only.")
]
ABOUT = """Predictions of trained models. Every refusal is JSON: `{"error": why, "status": number}`."""


def create_app(service: Service) -> FastAPI:
    """Return the ASGI application of a service.

    FastAPI's page of documentation loads scripts from elsewhere, so that there is one of our own.
    """
    app = FastAPI(
        title="pellucid",
        version=__version__,
        description=ABOUT,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(LogRequests)
    for kind in (PellucidError, HTTPException, StarletteException, Exception):
        app.add_exception_handler(kind, _refuse)

    check = check_token(service.token) if service.token else Depends(check_local)
    api = APIRouter(dependencies=[check], responses=schemas.refusals(401, 403, 405))

    @api.post(
        "/predict",
        summary="Predict the samples of the request",
        response_model=schemas.Answer,
        responses=schemas.refusals(400, 404, 408, 413, 415, 422, 429, 503),
        openapi_extra={"requestBody": schemas.BODIES},
    )
    async def predict(request: Request, model: ModelName = None) -> Response:
        """Images: one as the body, or some in the field 'image' of a form. Arrays and rows of tables: JSON."""
        served, headers, options = service.find(model), request.headers, service.options
        kind, length = headers.get("content-type", ""), headers.get("content-length", "")
        declared = int(length) if length.isdecimal() else None
        most = options.body_bytes
        with service.admitted(most if declared is None else min(declared, most)):
            body = await read_body(request.receive, declared, most=most, seconds=options.read_seconds)
            is_form = kind.partition(";")[0].strip().lower() == "multipart/form-data"
            images = await read_form(headers, body, most=options.max_images) if is_form else None
            found = await service.predict(served, kind, body if images is None else images)
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
        return JSONResponse(answer)

    about = "One model: its classes, layers, format and hash"

    @api.get("/model", summary=about, responses=schemas.refusals(400, 404, 422))
    async def model_card(model: ModelName = None) -> schemas.Model:
        return schemas.Model(**service.find(model).describe())

    @api.get("/models", summary="The names of all models")
    async def model_names() -> schemas.Models:
        return schemas.Models(models=list(service.models))

    @api.get("/openapi.json", include_in_schema=False)
    async def document() -> JSONResponse:
        return JSONResponse(app.openapi())

    @api.get("/", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        return HTMLResponse(
            page(app.openapi(), [*service.models.values()], has_form=not service.token), headers=HEADERS
        )

    app.include_router(api)

    @app.get("/healthz", summary="Whether the server lives", responses=schemas.refusals(405))
    async def healthz() -> schemas.State:
        return schemas.State(status="ok")

    @app.get(
        "/readyz", summary="Whether every model has predicted once", responses=schemas.refusals(405, 503)
    )
    async def readyz() -> schemas.State:
        if not service.is_ready:
            raise HTTPException(503, "the models are being warmed up.", {"retry-after": "1"})
        return schemas.State(status="ready")

    return app


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer what was raised.

    A fault of the server's own is raised again by Starlette, and uvicorn writes it to the log.
    """
    status, message, headers = 500, "the server failed; its log says how.", None
    if isinstance(error, PellucidError):
        status, message = UNFIT, str(error)
    elif isinstance(error, StarletteException):
        status, message, headers = error.status_code, error.detail, error.headers
        if not isinstance(error, HTTPException):  # FastAPI's own
            message = {
                404: "there is no such path. GET / lists those that there are.",
                405: f"{request.method} is not for this path. GET / lists what is.",
            }.get(status, message)
    request.scope[NOTES]["error"] = message
    return JSONResponse({"error": message, "status": status}, status, headers)
