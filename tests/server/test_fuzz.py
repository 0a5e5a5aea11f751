"""Whatever is sent, the answer is a prediction or a refusal: never a fault of the server."""

import json
import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.serving import JSON, Running, form, picture

from pellucid.server import schemas

BOUNDED = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MODELS = st.sampled_from(["light", "pets", "sums"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from(["age", "coat", "instances"]) | st.text(max_size=4)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
FORM = "multipart/form-data; boundary="
TYPES = st.sampled_from(["", "image/jpeg", JSON, f"{FORM}edge", FORM, "text/csv"])
WHOLE = {kind: picture(size=(40, 30), kind=kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")}


def check(server: Running, model: str, body: bytes, content_type: str) -> None:
    answer = server.predict(model, body, content_type)
    if answer.status == 200:
        assert schemas.Answer.model_validate(answer.json).predictions
    else:
        assert 400 <= answer.status < 500, answer.body
        assert answer.error


@BOUNDED
@given(model=MODELS, body=st.binary(max_size=200), content_type=TYPES)
def test_bytes(server: Running, model: str, body: bytes, content_type: str) -> None:
    check(server, model, body, content_type)


@BOUNDED
@given(model=MODELS, document=DOCUMENTS, has_key=st.booleans())
def test_documents(server: Running, model: str, document: Any, has_key: bool) -> None:
    body = json.dumps({"instances": [document]} if has_key else document).encode()
    check(server, model, body, JSON)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Return bytes of which some are other ones, missing, or twice there."""
    body = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(body) - 1, 0)))
        length = draw(st.integers(0, 8))
        body[at : at + length] = draw(st.binary(max_size=8) | st.just(bytes(body[at : at + 2 * length])))
    return bytes(body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body)


@BOUNDED
@given(data=st.data(), kind=st.sampled_from(sorted(WHOLE)))
def test_damaged_images(server: Running, data: st.DataObject, kind: str) -> None:
    check(server, "light", data.draw(damaged(WHOLE[kind])), "image/png")


@BOUNDED
@given(data=st.data())
def test_damaged_forms(server: Running, data: st.DataObject) -> None:
    body, content_type = form(("image", "a.png", picture()), ("image", "b.png", picture(7)))
    check(server, "light", data.draw(damaged(body)), content_type)


@pytest.mark.slow
def test_the_openapi_document_holds(server: Running) -> None:
    """schemathesis asks each path what the document allows and what it does not, and looks at the answers."""
    schemathesis = pytest.importorskip("schemathesis")
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json")
    asked = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        has_input = operation.path in ("/predict", "/model")  # else nothing can be wrong about it
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)[: 1 + has_input]:

            @settings(BOUNDED, max_examples=12)
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                conforming = [checks.status_code_conformance, checks.content_type_conformance]
                conforming += [checks.response_schema_conformance, not_a_server_error]
                case.call_and_validate(checks=conforming)

            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of its own dependencies
                ask()
        asked.add(operation.path)
    assert asked == {"/predict", "/model", "/models", "/healthz", "/readyz"}
