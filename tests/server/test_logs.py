"""The log of a server: each line is one JSON object, whoever writes it."""

import json
import subprocess
import sys


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
