"""Predictions over HTTP, each those of the model, and what is predicted together."""

import asyncio
import gc
import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.server.serving import JSON, Running, form, picture

from pellucid.errors import DataError
from pellucid.server.batches import Batches, Job, Predicted
from pellucid.server.models import Served, load_models
from pellucid.server.read_request import Samples
from pellucid.types import Array


def test_an_image_as_the_body(server: Running) -> None:
    for kind in ("image/png", "application/octet-stream", ""):
        answer = server.predict("light", picture(200), kind)
        assert answer.status == 200, answer.body
        (found,) = answer.json["predictions"]
        assert found["label"] == "bright"
        assert found["probability"] == pytest.approx(1 / (1 + np.exp(5 - 10 * 200 / 255)), rel=1e-5)
        assert found["classes"]["dark"] == pytest.approx(1 - found["probability"])
        assert answer.json["model"] == "light"


def test_images_of_a_form_in_their_order_under_their_names(server: Running) -> None:
    night, day = picture(10, (30, 20), "JPEG"), picture(250, kind="GIF")
    answer = server.predict("light", *form(("image", "night.jpg", night), ("image", "day.gif", day)))
    found = [(each["image"], each["label"]) for each in answer.json["predictions"]]
    assert found == [("night.jpg", "dark"), ("day.gif", "bright")]


def test_text_before_a_forms_first_part_is_skipped(server: Running) -> None:
    """RFC 2046, section 5.1.1: a preamble, and an epilogue after the last part, are ignored."""
    body, kind = form(("image", "day.png", picture(250)))
    plain = server.predict("light", body, kind).json
    for preamble in (b"\r\n", b"This is a message in parts.\r\n", b"--edg\r\n--other\r\n"):
        answer = server.predict("light", preamble + body + b"the end", kind)
        assert (answer.status, answer.json) == (200, plain), (preamble, answer.body)


def test_head_is_get_without_a_body(server: Running) -> None:
    paths = ("/healthz", "/readyz", "/models", "/model?model=sums", "/", "/openapi.json", "/predict", "/none")
    for path in paths:
        head, get = server.ask("HEAD", path), server.ask("GET", path)
        assert (head.status, head.body) == (get.status, b"")
        assert head.headers["content-length"] == str(len(get.body))


def test_arrays_of_pixels_are_the_same_as_their_picture(server: Running) -> None:
    as_picture = server.predict("light", picture(90)).json["predictions"][0]["classes"]
    for value in (90, 90 / 255):
        answer = server.predict_json("light", np.full((2, 6, 6, 3), value).tolist())
        assert answer.status == 200, answer.body
        assert [each["row"] for each in answer.json["predictions"]] == [0, 1]
        for each in answer.json["predictions"]:
            assert each["classes"] == pytest.approx(as_picture, rel=1e-5)


def test_rows_of_a_table_by_the_names_of_its_columns(server: Running) -> None:
    rows = [{"age": 4, "coat": "plain"}, {"coat": "tabby", "age": "1", "other": None}]
    answer = server.predict_json("pets", rows)
    assert [each["label"] for each in answer.json["predictions"]] == ["dog", "cat"]
    assert "notes" not in answer.json
    answer = server.predict_json("pets", [{"age": 1, "coat": "striped"}])
    assert "'striped'" in answer.json["notes"][0]


def test_numbers_for_a_model_of_quantities(server: Running) -> None:
    answer = server.predict("sums", b"[[1, 2, 3], [0.5, 0, 0]]", JSON)
    assert answer.json["predictions"] == [{"row": 0, "value": 6.0}, {"row": 1, "value": 0.5}]


def test_what_is_asked_at_the_same_time_gets_its_own_answer(server: Running) -> None:
    values = [*range(0, 250, 5)]
    with ThreadPoolExecutor(16) as pool:
        found = [*pool.map(lambda value: server.predict("light", picture(value)), values)]
    for value, answer in zip(values, found, strict=True):
        expected = 1 / (1 + np.exp(5 - 10 * value / 255))
        assert answer.json["predictions"][0]["classes"]["bright"] == pytest.approx(expected, rel=1e-4)


def test_the_model_says_what_it_is(server: Running, model_files: dict[str, Path]) -> None:
    found = server.ask("GET", "/model?model=light").json
    assert [row["kind"] for row in found["architecture"]["rows"]] == ["Flatten", "Dense"]
    wanted = {"classes": ["dark", "bright"], "input_shape": [6, 6, 3], "takes": "images", "n_params": 109}
    wanted["sha256"] = hashlib.sha256(model_files["light"].read_bytes()).hexdigest()
    assert found.items() >= {**wanted, "format": {"name": "safetensors", "version": 1}}.items()
    assert server.ask("GET", "/model?model=pets").json["columns"] == ["age", "coat"]
    assert server.ask("GET", "/models").json == {"models": ["light", "pets", "sums"]}


def test_probes_and_the_page(server: Running) -> None:
    assert server.ask("GET", "/healthz").json == {"status": "ok"}
    assert server.ask("GET", "/readyz").json == {"status": "ready"}
    assert gc.get_freeze_count() > 0  # what is loaded is no longer looked through
    page = server.ask("GET", "/")
    text = page.body.decode()
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in text
    assert "https://" not in text
    for words in ("images, 6 × 6 × 3 → one of dark, bright", "rows with age, coat", "arrays, 3 → numbers"):
        assert words in text
    for path in ("/predict", "/model", "/models", "/healthz", "/readyz"):
        assert f"{path}</code>" in text
    assert set(server.ask("GET", "/openapi.json").json["paths"]) >= {"/predict", "/model", "/models"}


@pytest.fixture
def served(model_files: dict[str, Path]) -> dict[str, Served]:
    return load_models(list(map(str, model_files.values())))


def together(
    jobs: Sequence[tuple[Served, Array]], *, largest: int = 8, cancelled: Sequence[int] = ()
) -> list[Any]:
    """Return what each request is answered with, where all wait before the first is predicted."""

    async def run() -> list[Any]:
        gate = threading.Event()
        batches = Batches(largest, 0.0, lambda: gate.wait(10) and None)
        futures = [Future[Any]() for _ in jobs]
        for (served, X), future in zip(jobs, futures, strict=True):
            batches.expect()
            batches.put(Job(served, Samples(X, [*range(len(X))]), future))
        for i in cancelled:
            futures[i].cancel()
        gate.set()
        waiting = [asyncio.wrap_future(future) for future in futures]
        found = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
        await asyncio.to_thread(batches.close)
        return found

    return asyncio.run(run())


ONE = np.ones((1, 3))
BATCHES: dict[str, tuple[list[tuple[str, Array]], dict[str, Any], list[Any]]] = {
    # requests, options, and of each how many samples were predicted together; None: it is refused
    "each its own": ([("sums", np.full((n, 3), float(n))) for n in (1, 2, 3)], {}, [6, 6, 6]),
    # closing answers what waits, too
    "no larger": ([("sums", np.ones((n, 3))) for n in (2, 2, 1, 9, 1)], {"largest": 4}, [4, 4, 2, 9, 2]),
    "models and dtypes": (
        [("sums", ONE), ("pets", ONE), ("sums", ONE), ("sums", ONE.astype(np.float32))],
        {},
        [2, 1, 2, 1],
    ),
    "one fails alone": ([("sums", ONE), ("sums", np.full((1, 3), 1.7e308)), ("sums", ONE)], {}, [1, None, 1]),
    "nobody waits": ([("sums", ONE)] * 3, {"cancelled": [1]}, [2, None, 2]),
}


@every("name", BATCHES)
def test_what_waits_is_predicted_together(name: str, served: dict[str, Served]) -> None:
    asked, options, n_together = BATCHES[name]
    found = together([(served[model], X) for model, X in asked], **options)
    for (model, X), answer, n in zip(asked, found, n_together, strict=True):
        if n is None:
            assert isinstance(answer, DataError if name == "one fails alone" else BaseException)
            continue
        assert answer.n_together == n
        if model == "sums":
            assert [each.value for each in answer.predictions] == X.sum(axis=1).tolist()
        else:
            assert [each.label for each in answer.predictions] == ["cat"]


def test_a_batch_waits_for_what_is_expected(served: dict[str, Served]) -> None:
    sums = served["sums"]

    async def run(then: str) -> list[int]:
        batches = Batches(8, 1000.0)
        futures = [Future[Predicted](), Future[Predicted]()]
        batches.expect()
        if then != "nothing":
            batches.expect()
        batches.put(Job(sums, Samples(np.ones((1, 3)), [0]), futures[0]))
        if then == "given up":
            batches.put(None)
        if then == "put":
            await asyncio.sleep(0.1)
        else:  # it is not waited for
            await asyncio.wait_for(asyncio.wrap_future(futures[0]), 10)
            batches.expect()
        batches.put(Job(sums, Samples(np.ones((1, 3)), [0]), futures[1]))
        found = await asyncio.wait_for(asyncio.gather(*map(asyncio.wrap_future, futures)), 10)
        await asyncio.to_thread(batches.close)
        return [each.n_together for each in found]

    assert [asyncio.run(run(then)) for then in ("put", "given up", "nothing")] == [[2, 2], [1, 1], [1, 1]]
