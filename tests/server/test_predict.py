"""What is asked of a server, answered as the model in this process answers it."""

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.server.serving import JSON, Running, form, picture


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
    body, kind = form(
        ("image", "night.jpg", picture(10, (30, 20), "JPEG")), ("image", "day.gif", picture(250, kind="GIF"))
    )
    answer = server.predict("light", body, kind)
    assert [(each["image"], each["label"]) for each in answer.json["predictions"]] == [
        ("night.jpg", "dark"),
        ("day.gif", "bright"),
    ]


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
    import hashlib

    found = server.ask("GET", "/model?model=light").json
    assert found["classes"] == ["dark", "bright"]
    assert found["input_shape"] == [6, 6, 3]
    assert found["takes"] == "images"
    assert found["n_params"] == 109
    assert [row["kind"] for row in found["architecture"]["rows"]] == ["Flatten", "Dense"]
    assert found["sha256"] == hashlib.sha256(model_files["light"].read_bytes()).hexdigest()
    assert found["format"] == {"name": "safetensors", "version": 1}
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
