"""The GitHub Action: its settings, its Markdown, and its comments on a loopback server that plays GitHub's API."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import stat
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / ".github" / "actions" / "gate"
TABLE = "| row | verdict |\n|---|---|\n| bm25 | better |\n"
FAKE = """#!{python}
import json, os, sys
open(os.environ["SEEN"], "w").write(json.dumps(sys.argv[1:]))
sys.stdout.write(os.environ["OUT"])
sys.stderr.write("progress\\n")
sys.exit(int(os.environ["CODE"]))
"""


@pytest.fixture(scope="module")
def gate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gate_of_the_action", FOLDER / "gate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of the step, with a `harness` that prints what the test says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    fake = folder / "harness"
    fake.write_text(FAKE.format(python=sys.executable))
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    for name, value in (("SEEN", str(tmp_path / "seen")), ("OUT", TABLE), ("CODE", "0")):
        monkeypatch.setenv(name, value)
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7}}))
    return {
        "GATE_ROW": "my_search.py:search",
        "GATE_BASELINE": "bm25\n hybrid-rrf \n\n",
        "GATE_DATASET": "./mine",
        "GATE_MARGIN": "0.01",
        "GATE_MEASURE": "nDCG@10",
        "GATE_TIED": "pass",
        "GATE_ARGUMENTS": "--seeds 3 --rows 'a b.toml'",
        "GATE_COMMENT": "true",
        "GATE_TOKEN": "secret-token",
        "GITHUB_REPOSITORY": "me/mine",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }


class GitHub:
    """Comments of pull request 7, two hundred of others among them."""

    def __init__(self) -> None:
        self.comments = [{"id": n, "body": f"comment {n}", "html_url": f"https://x/{n}"} for n in range(150)]
        self.seen: list[tuple[str, str, str]] = []
        self.code = 200

    def answer(self, verb: str, path: str, token: str, body: Any) -> Any:
        self.seen.append((verb, path, token))
        if verb == "GET":
            page = int(path.rpartition("=")[2])
            return self.comments[100 * (page - 1) : 100 * page]
        if verb == "POST":
            self.comments.append({"id": 900, "body": body["body"], "html_url": "https://x/900"})
            return self.comments[-1]
        (one,) = (each for each in self.comments if path.endswith(f"/issues/comments/{each['id']}"))
        one["body"] = body["body"]
        return one


@pytest.fixture
def github(settings: dict[str, str]) -> Iterator[GitHub]:
    hub = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            found = hub.answer(self.command, self.path, self.headers["Authorization"], body)
            self.send_response(hub.code)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        do_GET = do_POST = do_PATCH = _do

        def log_message(self, *arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings["GITHUB_API_URL"] = f"http://127.0.0.1:{server.server_port}"
    yield hub
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_action_has_the_form_that_github_takes_and_declares_what_it_uses() -> None:
    action = yaml.safe_load((FOLDER / "action.yml").read_text(encoding="utf-8"))
    assert {"name", "description", "inputs", "outputs", "runs"} <= action.keys()
    assert action["runs"]["using"] == "composite"
    assert all(step["shell"] == "bash" for step in action["runs"]["steps"])  # required in composite actions
    for name, given in action["inputs"].items():
        assert given["description"], name
        assert given.get("required") is True or isinstance(given["default"], str)
    text = json.dumps(action["runs"])
    assert set(re.findall(r"inputs\.(\w+)", text)) == action["inputs"].keys()
    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"], "an expression in a shell command could run what a title says"
    read = set(re.findall(r'"(GATE_\w+)"', (FOLDER / "gate.py").read_text(encoding="utf-8")))
    assert read == action["runs"]["steps"][1]["env"].keys()


def test_the_command_has_every_setting(gate: ModuleType, settings: dict[str, str]) -> None:
    assert gate.command(settings) == [
        "harness", "validate", "my_search.py:search", "--dataset", "./mine", "--baseline", "bm25",
        "--baseline", "hybrid-rrf", "--margin", "0.01", "--measure", "nDCG@10", "--format", "md",
        "--seeds", "3", "--rows", "a b.toml",
    ]  # fmt: skip


def test_the_command_is_one_that_harness_takes() -> None:
    from harness.cli.declaration import declared
    from harness.cli.verdicts import Validate

    flags = {parameter.flag for parameter in declared(Validate)}
    assert {"--dataset", "--baseline", "--margin", "--measure", "--format"} <= flags


def test_the_comment(gate: ModuleType, settings: dict[str, str]) -> None:
    assert gate.comment(settings, "tied", TABLE, "progress") == (
        "<!-- retrieval-harness-gate: my_search.py:search ./mine -->\n"
        "### ➖ `my_search.py:search` on `./mine`: tied\n\n"
        "| row | verdict |\n|---|---|\n| bm25 | better |\n\n"
        "Margin 0.01 on nDCG@10; `harness validate`."
    )
    assert "```\nno such row\n```" in gate.comment(settings, "error", "", "no such row\n")
    assert len(gate.comment(settings, "tied", "x" * 100_000, "")) < 65_536
    assert gate.mark(settings | {"GATE_ROW": "bm25>>dense --> x"}).count("-->") == 1


@pytest.mark.parametrize(
    ("code", "tied", "status", "expected"),
    [
        (0, "fail", "better or equivalent", 0),
        (1, "pass", "worse", 1),
        (2, "pass", "error", 1),
        (3, "pass", "skipped", 1),
        (4, "pass", "tied", 0),
        (4, "fail", "tied", 1),
        (-9, "pass", "error", 1),
    ],
)
def test_what_passes(
    code: int, tied: str, status: str, expected: int, gate: ModuleType, settings: dict[str, str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("CODE", str(code))
    assert gate.main(settings | {"GATE_COMMENT": "false", "GATE_TIED": tied}) == expected
    assert json.loads((tmp_path / "seen").read_text())[:2] == ["validate", "my_search.py:search"]
    assert (tmp_path / "output").read_text() == f"status={status}\n"
    assert TABLE.strip() in (tmp_path / "summary.md").read_text()


def test_a_comment_is_added_once_and_then_replaced(
    gate: ModuleType, settings: dict[str, str], github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gate.main(settings) == 0
    assert [verb for verb, _, _ in github.seen] == ["GET", "GET", "POST"]
    assert {token for _, _, token in github.seen} == {"Bearer secret-token"}
    assert github.seen[-1][1] == "/repos/me/mine/issues/7/comments"
    monkeypatch.setenv("CODE", "4")
    assert gate.main(settings) == 0
    assert github.seen[-1][:2] == ("PATCH", "/repos/me/mine/issues/comments/900")
    assert len(github.comments) == 151
    assert "tied" in github.comments[-1]["body"]
    gate.main(settings | {"GATE_DATASET": "./other"})
    assert len(github.comments) == 152


def test_a_token_that_can_only_read_is_a_warning(
    gate: ModuleType, settings: dict[str, str], github: GitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    github.code = 403
    assert gate.main(settings) == 0
    out = capsys.readouterr().out
    assert "::warning::no comment on the pull request: HTTP Error 403" in out
    assert "pull-requests: write" in out
    assert "secret-token" not in out


def test_without_a_pull_request_nothing_is_sent(
    gate: ModuleType, settings: dict[str, str], github: GitHub, tmp_path: Path
) -> None:
    (tmp_path / "event.json").write_text("{}")
    assert gate.main(settings) == 0
    assert github.seen == []
