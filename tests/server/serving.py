"""What the tests of the server share: models, a server in a thread, and a client."""

import http.client
import io
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import pellucid as pl
from pellucid.data.input_spec import InputsSeen
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.table_schema import Column, TableSchema
from pellucid.server.access import listen
from pellucid.server.models import load_models
from pellucid.server.options import ServerOptions
from pellucid.server.run import make_server
from pellucid.server.service import Service

JSON = "application/json"


def save_models(folder: Path) -> dict[str, Path]:
    """Write the models' files."""
    light = pl.Sequential([pl.Flatten(), pl.Dense(1)])
    light.initialize((6, 6, 3))
    light.layers[1].params["W"][...] = 10 / 108
    light.layers[1].params["b"][...] = -5
    light.classes, light.preprocessing = ("dark", "bright"), Preprocessing("divide", 255.0)
    light.inputs_seen = InputsSeen.of(np.array([[[[0, 1, 255]] * 6] * 6], np.uint8))

    pets = pl.Sequential([pl.Dense(2)])
    pets.initialize((3,))
    pets.layers[0].params["W"][...] = [[0, 1], [0, 0], [3, 0]]
    columns = (Column("age"), Column("coat", "category", ("plain", "tabby")))
    pets._schema = TableSchema(columns, ("pet",), "classification", ("cat", "dog"))
    pets.set_loss("categorical_cross_entropy")
    pets.classes = ("cat", "dog")

    sums = pl.Sequential([pl.Dense(1)])
    sums.initialize((3,), dtype="float64")
    sums.layers[0].params["W"][...] = 1
    sums.set_loss("mean_squared_error")

    files = {}
    for name, model in {"light": light, "pets": pets, "sums": sums}.items():
        files[name] = folder / f"{name}.safetensors"
        pl.save(model, files[name])
    return files


def picture(value: int = 200, size: tuple[int, int] = (6, 6), kind: str = "PNG") -> bytes:
    """Return the bytes of a grey picture."""
    file = io.BytesIO()
    Image.new("RGB", size, (value,) * 3).save(file, kind)
    return file.getvalue()


def form(*parts: tuple[str, str, bytes], boundary: str = "edge") -> tuple[bytes, str]:
    """Return a multipart body of (field, file name, content), and its content type."""
    pieces = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for field, name, content in parts
    ]
    return b"".join(pieces) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


@dataclass
class Answer:
    """What a server sent back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """Why it was refused; the shape of a refusal is checked."""
        found = self.json
        assert set(found) == {"error", "status"}
        assert found["status"] == self.status
        assert self.headers["content-type"] == JSON
        text: str = found["error"]
        assert "Traceback" not in text
        assert "\n" not in text
        return text


@dataclass
class Running:
    """A server in a thread."""

    port: int
    service: Service

    def ask(
        self, method: str, path: str, body: bytes = b"", content_type: str = "", **headers: str
    ) -> Answer:
        """Send a request and return the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            if content_type:
                given["Content-Type"] = content_type
            connection.request(method, path, body or None, given)
            response = connection.getresponse()
            found = response.read()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, found)
        finally:
            connection.close()

    def predict(self, model: str, body: bytes, content_type: str = "image/png") -> Answer:
        return self.ask("POST", f"/predict?model={model}", body, content_type)

    def predict_json(self, model: str, instances: Any) -> Answer:
        return self.predict(model, json.dumps({"instances": instances}).encode(), JSON)


@contextmanager
def running(files: Mapping[str, Path], token: str = "", **options: Any) -> Iterator[Running]:
    """Yield a server of these models, ready; it ends with the block."""
    service = Service(
        load_models([f"{name}={path}" for name, path in files.items()]),
        ServerOptions(port=0, **options),
        token,
    )
    listening = listen("127.0.0.1", 0, token)
    server = make_server(service)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    port = listening.getsockname()[1]
    thread.start()
    try:
        until = time.monotonic() + 120
        while not (server.started and service.is_ready) and time.monotonic() < until:
            time.sleep(0.01)
        assert server.started
        assert service.is_ready
        yield Running(port, service)
    finally:
        server.should_exit = True
        thread.join(20)
        service.close()
        assert not thread.is_alive()
