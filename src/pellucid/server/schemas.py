"""What the OpenAPI document says of requests and answers."""

from typing import Any

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Images(_Record):
    """The images of a form."""

    image: list[UploadFile] = Field(min_length=1, description="One or many images.")


class Instances(BaseModel):
    """Samples as JSON."""

    instances: list[float | list[Any] | dict[str, Any]] = Field(
        min_length=1,
        description="Nested lists of numbers of the model's input shape, or objects with a table's columns.",
    )


class Prediction(_Record):
    """What a model predicts for one sample."""

    image: str = Field("", description="The name of the image's file; of arrays and rows it is `row`.")
    row: int = Field(0, description="Its place in the request, from 0.")
    label: str = Field("", description="The most probable class.")
    probability: float = Field(1, ge=0, le=1, description="Of that class.")
    classes: dict[str, float] = Field({}, description="Every class with its probability.")
    labels: list[str] = Field(
        [], description="Of a model of several yes-or-no questions: those answered yes."
    )
    value: float | list[float] = Field(0, description="Of a model of quantities.")
    is_unlike: bool | None = Field(
        None, description="Whether a photo is unlike all training photos; null where too few leave that open."
    )
    novelty_p: float = Field(1, description="The share of training photos that are at least as unusual.")


class Answer(_Record):
    """The predictions for a request's samples, in their order."""

    model: str = Field(description="The name of the model.")
    predictions: list[Prediction]
    notes: list[str] = Field([], description="What to mind about the samples, such as unknown categories.")


class FileFormat(_Record):
    """The format of a model's file."""

    name: str
    version: int


class Model(_Record):
    """A model that is served."""

    name: str
    takes: str = Field(description='"images", "rows" of a table, or "arrays" of numbers.')
    input_shape: list[int] = Field(description="Of one sample.")
    columns: list[str] | None = Field(description="Of a table.")
    predicts: str = Field(description='"classification", "multi_label" or "regression".')
    classes: list[str]
    loss: str
    n_params: int
    architecture: dict[str, Any] = Field(description="Layers with their shapes and parameters.")
    format: FileFormat
    sha256: str = Field(description="Of the model's file.")
    notice: str | None = Field(
        description="Whose work it contains, with source, licence and its text: of a pretrained body."
    )


class Models(_Record):
    """The names of all models."""

    models: list[str]


class State(_Record):
    """The state of the server."""

    status: str


class Problem(_Record):
    """Why a request was refused."""

    error: str
    status: int


REASONS = {
    400: "The request is damaged: malformed JSON or multipart, or no model is named where there are several.",
    401: "The token is missing or wrong.",
    403: "Without a token: asked by another name than localhost, or by a page of another origin.",
    404: "There is no such model or path.",
    405: "The path is asked by another method.",
    408: "The request came too slowly.",
    413: "Too many bytes, pixels or samples.",
    415: "The content type is none of those above.",
    422: "Not an image, a damaged one, or samples that do not fit the model.",
    429: "Too many requests at the same time.",
    503: "No prediction in time, or the server is not ready.",
}

_BYTES = {"schema": {"type": "string", "format": "binary"}}
BODIES: dict[str, Any] = {
    "required": True,
    "content": {
        "image/*": _BYTES,
        "application/octet-stream": _BYTES,
        "multipart/form-data": {"schema": Images.model_json_schema()},
        "application/json": {"schema": Instances.model_json_schema()},
    },
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what is documented of refusals with these statuses."""
    return {status: {"model": Problem, "description": REASONS[status]} for status in statuses}
