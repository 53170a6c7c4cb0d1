"""The wheel: built from the source distribution, checked, installed in a clean environment, used outside the checkout.

    python benchmarks/wheel.py [--keep FOLDER]

Needs `build` and `twine` (`tox -e wheel` installs them) and a package index. Ends with status 1 at the first thing that
does not work. Sizes are in MiB; times are CPU seconds (user and system) of whole processes, the least of five.
"""

from __future__ import annotations

import argparse
import email
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMES = 5
COLLECTION = {
    "corpus.jsonl": [{"_id": f"d{n}", "title": "", "text": f"the {word} is here"} for n, word in enumerate("abcdefgh")],
    "queries.jsonl": [{"_id": f"q{n}", "text": f"where is {word}"} for n, word in enumerate("abcdefgh")],
}


def main() -> None:
    """Builds, checks, installs, uses and measures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", type=Path, help="copy the wheel and the source distribution into this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        wheel, source = built(work / "dist")
        check_contents(wheel)
        python = installed(wheel, work / "clean")
        use(python, work / "elsewhere")
        package = package_folder(python)
        print("\n| what | measured |\n|---|--:|")
        for path in (wheel, source):
            print(f"| {path.name} | {path.stat().st_size / 2**20:.2f} MiB |")
        size = sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
        print(f"| the installed package, with its bytecode | {size / 2**20:.2f} MiB |")
        commands = {"import harness": ["-c", "import harness"], "harness --help": ["-m", "harness", "--help"]}
        for name, command in commands.items():
            print(f"| `{name}` | {cpu_seconds([str(python), *command], work):.2f} CPU s |")
        if arguments.keep is not None:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            for path in (wheel, source):
                shutil.copy(path, arguments.keep)


def built(folder: Path) -> tuple[Path, Path]:
    """The wheel, made from the source distribution, and that; both pass `twine check --strict`."""
    run([sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)])
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    run([sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(source)])
    return wheel, source


def check_contents(wheel: Path) -> None:
    """Every file of the package that git knows is in the wheel, with the licences, and nothing else."""
    known = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "harness"], ROOT).splitlines()
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = next(name.partition("/")[0] for name in names if ".dist-info/" in name)
        metadata = email.message_from_bytes(archive.read(f"{info}/METADATA"))
    packed = {name for name in names if not name.startswith(info)}
    demand(packed == set(known), f"the wheel and the checkout differ: {sorted(packed ^ set(known))}")
    demand("harness/py.typed" in packed, "py.typed is missing")
    licences = metadata.get_all("License-File") or []
    demand(len(licences) == 2, "the licence, or those of the page's libraries, are not declared")
    for licence in licences:
        demand(f"{info}/licenses/{licence}" in names, f"the licence {licence} is missing")
    demand(metadata["License-Expression"] == "Apache-2.0", "the licence is not declared")
    print(f"{wheel.name}: {len(packed)} files, all of the package")


def installed(wheel: Path, folder: Path) -> Path:
    """The Python of a new environment that has the wheel and what it depends on."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run([str(python), "-m", "pip", "install", "--quiet", "--no-compile", str(wheel)])
    run([str(python), "-m", "pip", "check"])
    return python


def use(python: Path, folder: Path) -> None:
    """What a newcomer does first, in a folder that has nothing of the checkout."""
    corpus = folder / "my-corpus"
    (corpus / "qrels").mkdir(parents=True)
    for name, lines in COLLECTION.items():
        (corpus / name).write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    judged = "".join(f"q{n}\td{n}\t1\n" for n in range(8))
    (corpus / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", encoding="utf-8")
    harness = [str(python.parent / "harness")]
    for command in (
        ["--version"],
        ["--help"],
        ["doctor"],
        ["list"],
        ["data", "check", "./my-corpus"],
        ["run", "./my-corpus", "--method", "bm25", "--method", "dense"],
        ["decide", "./my-corpus", "--method", "bm25", "--method", "dense"],
        ["claims"],
        ["cache", "verify"],
    ):
        run([*harness, *command], folder)
    demand((folder / "results" / "leaderboard.html").stat().st_size > 100_000, "the page lacks its script")


def package_folder(python: Path) -> Path:
    """Where the package is installed."""
    place = "import harness; print(harness.__path__[0])"
    return Path(run([str(python), "-c", place], python.parent).strip())


def run(command: list[str], folder: Path | None = None) -> str:
    """Runs a command without what points to the checkout; returns what it prints."""
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "HARNESS_DATA")}
    clean["HARNESS_CACHE"] = str((folder or Path.cwd()) / "cache")
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)
    shown = " ".join(Path(word).name if number == 0 else word for number, word in enumerate(command))
    print(f"{'ok' if done.returncode == 0 else 'FAILED'}  {shown[:160]}", flush=True)
    demand(done.returncode == 0, f"{done.stdout}{done.stderr}")
    return done.stdout


def cpu_seconds(command: list[str], folder: Path) -> float:
    """The least of several processes."""
    spent = []
    for _ in range(TIMES + 1):  # the first writes the bytecode
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run_quietly(command, folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent[1:])


def run_quietly(command: list[str], folder: Path) -> None:
    """Runs a command that is timed."""
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run(command, cwd=folder, env=clean, check=True, stdout=subprocess.DEVNULL)


def demand(holds: bool, fault: str) -> None:
    """Ends the program with a fault."""
    if not holds:
        sys.exit(fault)


if __name__ == "__main__":
    main()
