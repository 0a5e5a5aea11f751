"""`scripts/check --changed`: which tests name what changed, and that those beyond the time are left out."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = {
    "src/pellucid/room/thing.py": "def make() -> int:\n    return 1\n\n\ndef _own() -> None: ...\n",
    "src/pellucid/room/other.py": "",
    "src/pellucid/page.html": "<p>",
    "tests/room/test_thing.py": "",
    "tests/test_far.py": "import pellucid.x\nimport pellucid.y\nfrom pellucid.room.thing import make\n",
    "tests/test_near.py": "from pellucid.room import other, thing\n",
    "tests/test_public.py": "import numpy\npl.make()\n",
    "tests/test_page.py": "open('page.html')\n",
    "tests/test_not.py": "from pellucid.room.things import make\npl.maker()\n",
}


def test_the_nearest_come_first(tmp_path: Path) -> None:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "scripts").mkdir()
    script = shutil.copy(ROOT / "scripts" / "changed_tests", tmp_path / "scripts" / "changed_tests")
    me = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), ("add", "."), (*me, "commit", "-qm", "all")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)

    def found() -> list[str]:
        return subprocess.run(
            [sys.executable, script], capture_output=True, text=True, check=True
        ).stdout.split()

    assert found() == []
    (tmp_path / "src/pellucid/room/thing.py").write_text(FILES["src/pellucid/room/thing.py"] + "\n")
    (tmp_path / "tests/test_new.py").write_text("")
    named = ["tests/test_public.py", "tests/test_near.py", "tests/test_far.py"]
    assert found() == ["tests/test_new.py", "src/pellucid/room/thing.py", "tests/room/test_thing.py", *named]
    (tmp_path / "src/pellucid/page.html").unlink()
    assert "tests/test_page.py" in found()


def test_no_test_begins_when_the_time_is_up() -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--at-most",
        "0",
        str(ROOT / "tests/test_rooms.py"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "the time is up (--at-most 0)" in done.stdout
    assert "passed" not in done.stdout
