"""The script of the action: runs `harness validate`, writes the table to the job's summary and to the pull request.

It uses nothing but the standard library. Settings are environment variables, which `action.yml` sets, so that no text
of a workflow is part of a shell command.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARK = "<!-- retrieval-harness-gate: {} -->"
"""First line of a comment, by which the next run finds it; it names row and collection."""
STATUS = {0: "better or equivalent", 1: "worse", 2: "error", 3: "skipped", 4: "tied"}
"""Exit status of `harness validate` → what it means."""
SIGN = {"better or equivalent": "✅", "tied": "➖", "worse": "❌", "error": "❌", "skipped": "⚠️"}
MOST = 60_000
"""Characters of a comment; GitHub takes 65,536."""
PAGES = 30
"""Pages of 100 comments that are searched for an earlier one."""


def command(environment: Mapping[str, str]) -> list[str]:
    """`harness validate` with the settings of the action."""
    baselines = [line.strip() for line in environment["GATE_BASELINE"].splitlines() if line.strip()]
    return [
        *("harness", "validate", environment["GATE_ROW"].strip(), "--dataset", environment["GATE_DATASET"].strip()),
        *(part for row in baselines for part in ("--baseline", row)),
        *("--margin", environment["GATE_MARGIN"], "--measure", environment["GATE_MEASURE"], "--format", "md"),
        *shlex.split(environment.get("GATE_ARGUMENTS", "")),
    ]


def mark(environment: Mapping[str, str]) -> str:
    """The first line of this gate's comment."""
    named = f"{environment['GATE_ROW']} {environment['GATE_DATASET']}".replace("--", "- -").replace(">", "&gt;")
    return MARK.format(" ".join(named.split()))


def comment(environment: Mapping[str, str], status: str, table: str, errors: str) -> str:
    """The comment's Markdown.

    Args:
        environment: the settings.
        status: a value of `STATUS`.
        table: what `harness validate --format md` printed.
        errors: what it printed as errors and progress; its end is shown if there is no table.
    """
    code = "`" if "`" not in environment["GATE_ROW"] else "``"
    row = f"{code}{environment['GATE_ROW'].strip()}{code}"
    head = f"### {SIGN[status]} {row} on `{environment['GATE_DATASET']}`: {status}"
    body = table.strip()
    if not body:
        fence = "`" * 3
        while fence in errors:
            fence += "`"
        body = f"{fence}\n{errors.strip()[-2000:]}\n{fence}"
    text = f"{mark(environment)}\n{head}\n\n{body}\n\n"
    text += f"Margin {environment['GATE_MARGIN']} on {environment['GATE_MEASURE']}; `harness validate`."
    return text if len(text) <= MOST else f"{text[:MOST]}\n\n… cut; the job's summary has all of it."


def pull_request(environment: Mapping[str, str]) -> int | None:
    """The number of the pull request of the event; None if there is none."""
    path = environment.get("GITHUB_EVENT_PATH", "")
    if not path or not Path(path).is_file():
        return None
    number = json.loads(Path(path).read_text(encoding="utf-8")).get("pull_request", {}).get("number")
    return number if isinstance(number, int) else None


class Comments:
    """The comments of a pull request, by GitHub's REST API.

    Args:
        environment: `GITHUB_API_URL`, `GITHUB_REPOSITORY` and the token.
        number: of the pull request.
    """

    def __init__(self, environment: Mapping[str, str], number: int) -> None:
        self._token = environment["GATE_TOKEN"]
        api = environment.get("GITHUB_API_URL", "https://api.github.com")
        self._repository = f"{api}/repos/{environment['GITHUB_REPOSITORY']}"
        self._number = number

    def put(self, text: str, first_line: str) -> str:
        """Replaces the comment that starts with a line, or adds one; returns its address."""
        for page in range(1, PAGES + 1):
            found = self._ask("GET", f"/issues/{self._number}/comments?per_page=100&page={page}")
            for each in found:
                if str(each.get("body", "")).startswith(first_line):
                    return str(self._ask("PATCH", f"/issues/comments/{each['id']}", {"body": text})["html_url"])
            if len(found) < 100:
                break
        return str(self._ask("POST", f"/issues/{self._number}/comments", {"body": text})["html_url"])

    def _ask(self, verb: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self._repository}{path}",
            method=verb,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Runs the gate; the exit status of the step: 0 passed, 1 failed."""
    done = subprocess.run(command(environment), capture_output=True, text=True, check=False, encoding="utf-8")
    sys.stderr.write(done.stderr)
    status = STATUS.get(done.returncode, "error")
    text = comment(environment, status, done.stdout, done.stderr)
    sys.stdout.write(text + "\n")
    for variable, line in (("GITHUB_STEP_SUMMARY", text), ("GITHUB_OUTPUT", f"status={status}")):
        if environment.get(variable):
            with open(environment[variable], "a", encoding="utf-8") as file:
                file.write(line + "\n")
    number = pull_request(environment)
    if environment.get("GATE_COMMENT") == "true" and number is not None:
        try:
            sys.stdout.write(f"{Comments(environment, number).put(text, mark(environment))}\n")
        except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
            sys.stdout.write(f"::warning::no comment on the pull request: {error}. {_advice(error)}\n")
    passed = status == "better or equivalent" or (status == "tied" and environment.get("GATE_TIED") == "pass")
    return 0 if passed else 1


def _advice(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404):
        return (
            "The job needs `permissions: pull-requests: write`; for a pull request from a fork GitHub gives a token "
            "that can only read. The table is in the job's summary."
        )
    return "The table is in the job's summary."


if __name__ == "__main__":
    raise SystemExit(main())
