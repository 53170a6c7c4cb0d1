"""Start-up time: help, listing and test collection, compared with other tools.

    python benchmarks/startup.py [--rounds 5]

Each is a whole process; CPU seconds (user and system) vary less than wall seconds on a busy machine. The first
round is not counted: it writes the bytecode and fills the file cache. A tool that is not
installed is left out, and named.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from _table import interleaved, parser, process, show

ROOT = Path(__file__).resolve().parent.parent
OURS = {
    "harness --help": [sys.executable, "-m", "harness", "--help"],
    "harness list": [sys.executable, "-m", "harness", "list"],
    "pytest suites --collect-only": [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--collect-only", "-q"],
    "import harness": [sys.executable, "-c", "import harness"],
}
PEERS = {
    "mteb": {
        "mteb --help": [sys.executable, "-m", "mteb", "--help"],
        "mteb available-tasks": [sys.executable, "-m", "mteb", "available-tasks", "--task-types", "Retrieval"],
    },
    "beir": {"import beir.retrieval": [sys.executable, "-c", "import beir.retrieval.evaluation"]},
    "sentence_transformers": {"import sentence_transformers": [sys.executable, "-c", "import sentence_transformers"]},
    "bm25s": {"import bm25s": [sys.executable, "-c", "import bm25s"]},
    "ranx": {"import ranx": [sys.executable, "-c", "import ranx"]},
    "pyserini": {"import pyserini.search.lucene": [sys.executable, "-c", "import pyserini.search.lucene"]},
}


def main() -> None:
    """Times and prints."""
    arguments = parser(__doc__, rounds=5).parse_args()
    commands = dict(OURS)
    for package, theirs in PEERS.items():
        if importlib.util.find_spec(package) is None:
            print(f"without {package}: it is not installed")
        elif any(subprocess.run(command, capture_output=True).returncode for command in theirs.values()):
            print(f"without {package}: it does not start here")  # Pyserini without its Java, say
        else:
            commands.update(theirs)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # users have their bytecode cached
    ways = {name: functools.partial(process, command) for name, command in commands.items()}
    show(interleaved("start-up", ways, arguments.rounds), arguments)


if __name__ == "__main__":
    main()
