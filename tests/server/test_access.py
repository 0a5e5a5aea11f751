"""Who may ask a server, and what its log says."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.every import every
from tests.server.serving import Running, picture, running

from pellucid.errors import OptionError
from pellucid.server.access import listen, token_of_environment

TOKEN = "correct-horse-battery"


def test_a_server_with_a_token(model_files: dict[str, Path]) -> None:
    with running({"light": model_files["light"]}, token=TOKEN) as server:
        for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            answer = server.ask("POST", "/predict", picture(), "image/png", **given)
            assert answer.status == 401
            assert "Authorization: Bearer" in answer.error
            assert answer.headers["www-authenticate"] == "Bearer"
        good = {"Authorization": f"Bearer {TOKEN}", "Host": "cats.example"}
        assert server.ask("POST", "/predict", picture(), "image/png", **good).status == 200
        page = server.ask("GET", "/", **good)
        assert b"<form" not in page.body
        assert server.ask("GET", "/").status == 401
        document = server.ask("GET", "/openapi.json", **good).json
        wanted = {path: {"token": []} for path in ("/predict", "/model", "/models")}
        for path, methods in document["paths"].items():
            for each in methods.values():
                assert each.get("security", [None]) == [wanted.get(path)], path
        assert server.ask("GET", "/openapi.json").status == 401
        assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
        assert [server.ask("GET", path).status for path in ("/healthz", "/readyz")] == [200, 200]
        for header in (f"bearer {TOKEN}", f"Bearer  {TOKEN} "):
            assert server.ask("GET", "/models", Authorization=header).status == 200
        for header in ("", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer x{TOKEN}", "Bearer \xff"):
            assert server.ask("GET", "/models", Authorization=header).status == 401, header
        elsewhere = {**good, "Origin": "https://cats.example"}  # behind another server, say
        assert server.ask("POST", "/predict", picture(), "image/png", **elsewhere).status == 200


def test_the_servers_own_page_may_ask(server: Running) -> None:
    for name in ("127.0.0.1", "LOCALHOST"):
        own = f"{name}:{server.port}"
        given = {"Host": own, "Origin": f"http://{own.lower()}"}
        answer = server.ask("POST", "/predict?model=light", picture(), "image/png", **given)
        assert answer.status == 200
    # A browser gives a form's origin as "null" where the policy is no-referrer.
    assert server.ask("GET", "/").headers["referrer-policy"] == "same-origin"


def test_names_of_this_computer(server: Running) -> None:
    for name in ("localhost", "LOCALHOST:80", "127.0.0.1:8000", "[::1]", "[::1]:8000"):
        assert server.ask("GET", "/models", Host=name).status == 200, name
    bad = "", "localhost.example", "127.0.0.1.example:80", "example:localhost", "[", "a@localhost", "\xff"
    for name in bad:
        answer = server.ask("GET", "/models", Host=name)
        assert (answer.status, "localhost alone" in answer.error) == (403, True), name


def test_addresses() -> None:
    for host in ("0.0.0.0", "::"):
        with pytest.raises(OptionError, match="others can reach"):
            listen(host, 0, token="")
    listen("0.0.0.0", 0, token=TOKEN).close()
    listen("localhost", 0, token="").close()
    with pytest.raises(OptionError, match="there is no address"):
        listen("no such host", 0, token="")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OptionError, match=f"cannot listen on 127.0.0.1, port {port}"):
            listen("127.0.0.1", port, token="")


@every("token", ["short", "with a space in it", "with-ünicode-letters"])
def test_tokens_that_are_none(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_TOKEN", token)
    with pytest.raises(OptionError, match="PELLUCID_TOKEN: expected at least 16 letters") as raised:
        token_of_environment()
    assert token not in str(raised.value)


def test_all_loggers_write_json() -> None:
    code = """if True:
        import logging, sys
        from pellucid.server.logs import log, start_logging
        start_logging(is_quiet=sys.argv[1] == "quiet")
        log("request", path="\\x1b[31m", status=200)
        logging.getLogger("asyncio").warning("slow")
        logging.getLogger("python_multipart.multipart").warning("damaged")
        try:
            1 / 0
        except ZeroDivisionError:
            logging.getLogger("pellucid.server").exception("a fault")
    """
    found = {}
    for how in ("loud", "quiet"):
        done = subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=True)
        found[how] = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in found["loud"]] == ["request", "slow", "a fault"]
    assert [line["event"] for line in found["quiet"]] == ["slow", "a fault"]
    assert found["loud"][0]["path"] == "\x1b[31m"
    assert "ZeroDivisionError" in found["loud"][2]["traceback"]
    assert all(line["time"].endswith("Z") and line["level"] for line in found["loud"])
