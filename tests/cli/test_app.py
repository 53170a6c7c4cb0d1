"""What the command line says to whom, and with which exit status; what the commands do is in `test_commands.py`."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import harness.api
from harness.cli.dataset_parameters import OneDataset
from harness.cli.declaration import Status

Command = Callable[..., "object"]

ENTRY = "import sys; sys.argv = ['harness', *sys.argv[1:]]; from harness.cli.app import main\n"
LOADED = """try:
    main()
except SystemExit as end:
    print('status', end.code, sorted(set({names!r}) & set(sys.modules)))
"""


def imported(python, names: list[str], *arguments: str) -> str:
    """The last line: exit status and which of the modules were imported by `harness <arguments>`."""
    done = python(ENTRY + LOADED.format(names=names), *arguments)
    assert done.stdout, done.stderr
    return done.stdout.splitlines()[-1]


HELP = [
    "",
    "run",
    "leaderboard",
    "list",
    "data",
    "data check",
    "data fetch",
    "cache",
    "cache ls",
    "cache verify",
    "cache gc",
]


@pytest.mark.parametrize("command", HELP)
def test_every_command_has_help(command: str, harness_command) -> None:
    said = harness_command(*command.split(), "--help")
    assert said.status == 0
    assert "Usage: harness" in said.out
    assert harness_command(*command.split(), "-h").out == said.out


def test_help_of_run_shows_every_option(harness_command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = harness_command("run", "--help").out
    options = "dataset method measure depth seed results data-dir cache-dir device rerun plan precision quiet"
    for words in (
        *(f"--{option}" for option in options.split()),
        "source/name/split",
        "bm25(k1=1.2)>>dense",
        "run/my.trec",
    ):
        assert words in text


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["cache", "gc", "--help"]], ids=" ".join)
def test_help_imports_none_of_the_libraries_that_work(arguments: list[str], python) -> None:
    heavy = [
        "numpy",
        "pyarrow",
        "torch",
        "bm25s",
        "scipy",
        "ir_measures",
        "sentence_transformers",
        "harness.api",
    ]
    assert imported(python, heavy, *arguments) == "status 0 []"


@pytest.mark.parametrize(
    "arguments", [["list"], ["run", "--plan"], ["cache", "ls"], ["leaderboard", "--results", "."]], ids=" ".join
)
def test_commands_that_run_no_model_import_neither_torch_nor_transformers(arguments: list[str], python) -> None:
    assert imported(python, ["torch", "transformers", "sentence_transformers"], *arguments) == "status 0 []"


def test_a_listing_imports_nothing_that_only_work_needs(python) -> None:
    heavy = ["scipy", "bm25s", "networkx", "datasketch", "pandas", "ir_measures", "psutil", "pyarrow.compute", "jinja2"]
    ours = ["harness.api", "harness.lexical.bm25", "harness.bench.runner", "harness.report.board"]
    assert imported(python, [*heavy, "http.client", *ours], "list") == "status 0 []"


def test_bm25_runs_without_torch(python, small_folder: Path) -> None:
    last = imported(python, ["torch", "transformers"], "run", "-d", str(small_folder), "-m", "bm25")
    assert last == "status 0 []"


def test_help_names_every_command_and_the_installed_command_is_this_one(harness_command) -> None:
    said = harness_command("--help")
    assert said.status == 0
    for name in ("run", "leaderboard", "list", "data", "cache"):
        assert name in said.out
    beside = Path(sys.executable).with_name("harness")
    if beside.exists():
        done = subprocess.run([beside, "cache", "ls"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "0 entries" in done.stdout


# Exit statuses


def test_status_0_where_a_row_has_figures_though_others_were_skipped(harness_command, small_folder: Path) -> None:
    said = harness_command(
        "run", "-d", small_folder, "-m", "bm25", "-m", 'dense(model="nobody/nothing")', "--results", "r"
    )
    assert said.status == 0
    assert "skipped" in said.err
    assert "hf download nobody/nothing" in said.err


def test_status_1_where_a_row_failed_and_the_others_are_shown(harness_command, small_folder: Path) -> None:
    said = harness_command("run", "-d", small_folder, "-m", "run/nowhere.trec", "-m", "bm25")
    assert said.status == 1
    assert "there is no run file nowhere.trec" in said.err
    assert "bm25" in said.out


def test_status_3_where_every_row_was_skipped(harness_command, small_folder: Path) -> None:
    said = harness_command("run", "-d", small_folder, "-m", 'dense(model="nobody/nothing")')
    assert said.status == 3


BAD = {
    "an unknown row": (["run", "-m", "bm52"], "unknown method 'bm52'; did you mean 'bm25'?"),
    "an unknown setting": (["run", "-m", "bm25(k=1)"], "unknown setting of bm25 'k'; did you mean 'k1'"),
    "a setting of the wrong type": (["run", "-m", "bm25(k1=high)"], "bm25: k1 must be a number, 0 or more, not high"),
    "a setting out of range": (["run", "-m", "bm25(b=2)"], "bm25: b must be between 0 and 1, not 2"),
    "no expression": (["run", "-m", "bm25("], "cannot read 'bm25(': invalid syntax"),
    "a run without a file": (["run", "-m", "run/"], "run: name the file, as run/my.trec"),
    "a re-ranking of one stage": (["run", "-m", "hybrid(methods=(bm25,))"], "hybrid: methods must name two or more"),
    "an unknown source": (["run", "-d", "bier/scifact", "-m", "bm25"], "unknown dataset 'bier/scifact'"),
    "an unknown collection": (
        ["run", "-d", "stdlib/cod", "-m", "bm25"],
        "unknown stdlib collection 'cod'; did you mean 'code'",
    ),
    "a folder that is not there": (["run", "-d", "./nowhere", "-m", "bm25"], "there is no folder nowhere"),
    "a folder that is no collection": (
        ["run", "-d", "./empty", "-m", "bm25"],
        "has no corpus.jsonl and no queries.jsonl",
    ),
    "a collection that is not here": (
        ["run", "-d", "beir/scifact", "-m", "bm25"],
        "HARNESS_OFFLINE forbids the download",
    ),
    "an unknown split": (["run", "-d", "./small/dve", "-m", "bm25"], "unknown split 'dve'"),
    "an unknown measure": (
        ["run", "-d", "./small", "-m", "bm25", "--measure", "nDGC@10"],
        "'nDGC@10' is not a measure",
    ),
    "a results folder in the way": (["run", "-d", "./small", "-m", "bm25", "--results", "./file"], "cannot be written"),
    "a cache folder in the way": (
        ["run", "-d", "./small", "-m", "bm25", "--cache-dir", "./file"],
        "another folder with --cache-dir",
    ),
    "a leaderboard in the way": (["leaderboard", "--results", "./file"], "cannot be written"),
    "a check of nothing": (["data", "check", "./nowhere"], "there is no folder nowhere"),
    "a fetch of something else": (["data", "fetch", "stdlib/code"], "Only beir/<name> is downloaded"),
    "a fetch of an unknown": (["data", "fetch", "beir/scifcat"], "did you mean 'scifact'"),
}


@pytest.mark.parametrize("case", BAD)
def test_status_2_for_bad_input_with_one_clear_line_and_no_traceback(
    case: str, harness_command, small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("in the way")
    arguments, told = BAD[case]
    said = harness_command(*arguments)
    assert said.status == 2
    (line,) = said.err.strip().splitlines()
    assert line.startswith("harness: ")
    assert told in line
    assert "Traceback" not in said.out + said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--depth", "0"], "--depth"),
        (["run", "--depth", "many"], "--depth"),
        (["run", "--no-such-option"], "No such option"),
        (["list", "everything"], "everything"),
        (["fly"], "No such command"),
        (["cache", "gc", "--max-size", "-1"], "--max-size"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_status_2_for_a_command_line_that_cannot_be_read(arguments: list[str], told: str, harness_command) -> None:
    said = harness_command(*arguments)
    assert said.status == 2
    assert told in said.err
    assert "Traceback" not in said.err


def test_malformed_data_is_named_with_its_line(harness_command, small_folder: Path) -> None:
    corpus = small_folder / "corpus.jsonl"
    lines = corpus.read_text().splitlines()
    lines[6] = '{"_id": "x", "title": 5}'
    corpus.write_text("\n".join(lines) + "\n")
    said = harness_command("run", "-d", "./small", "-m", "bm25")
    assert said.status == 2
    assert "corpus.jsonl, line 7:" in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_an_interrupted_command_exits_with_130_and_says_that_finished_work_is_saved(
    harness_command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(harness.api, "write_leaderboard", stop)
    (tmp_path / "results").mkdir()
    said = harness_command("leaderboard")
    assert said.status == 130
    assert "finished work is saved" in said.err


def test_a_run_interrupted_by_the_terminal_ends_with_130_and_no_traceback(tmp_path: Path, small_folder: Path) -> None:
    slow = (
        # A background shell would have the signal ignored.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import time; from pathlib import Path; import harness.methods.bm25 as m; build = m._Fitted.index\n"
        "def index(self, *a):\n    Path('indexing').touch(); time.sleep(60)\n"
        "m._Fitted.index = index\n"
    )
    command = [sys.executable, "-c", slow + ENTRY + "main()", "run", "-d", str(small_folder), "-m", "bm25"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not (tmp_path / "indexing").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err


# What is shown, and where


def test_results_go_to_standard_output_and_what_goes_on_to_standard_error(harness_command, small_folder: Path) -> None:
    said = harness_command("run", "-d", small_folder, "-m", "bm25")
    assert "nDCG@10" in said.out
    assert "records, leaderboard.md and leaderboard.html in results" in said.out
    assert said.err.startswith("bm25 on folder/")
    assert len(said.err.strip().splitlines()) == 1


def test_a_second_run_says_that_the_row_is_up_to_date(harness_command, small_folder: Path) -> None:
    first = harness_command("run", "-d", small_folder, "-m", "bm25").err
    again = harness_command("run", "-d", small_folder, "-m", "bm25").err
    assert "nDCG@10" in first
    assert again == first.replace("\n", " (up to date)\n")
    assert "(up to date)" not in harness_command("run", "-d", small_folder, "-m", "bm25", "--rerun").err


def test_quiet_says_nothing_where_all_is_well_and_only_what_failed_otherwise(
    harness_command, small_folder: Path
) -> None:
    well = harness_command("run", "-q", "-d", small_folder, "-m", "bm25", "-m", 'dense(model="nobody/nothing")')
    assert (well.status, well.out, well.err) == (0, "", "")
    failed = harness_command("run", "-q", "-d", small_folder, "-m", "bm25", "-m", "run/nowhere.trec")
    assert (failed.status, failed.out) == (1, "")
    (line,) = failed.err.strip().splitlines()
    assert "there is no run file nowhere.trec" in line


def test_loading_a_model_says_nothing_of_its_own(
    python, small_folder: Path, tiny_encoder: Path, tiny_cross_encoder: Path
) -> None:
    rows = ["-m", f'dense(model="{tiny_encoder}")', "-m", f'bm25>>cross_encoder(model="{tiny_cross_encoder}")']
    done = python(ENTRY + "main()", "run", "-q", "-d", str(small_folder), *rows)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("variable", ["NO_COLOR", None])
def test_what_is_no_terminal_or_wants_no_colour_gets_no_escape_codes(
    variable: str | None, harness_command, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    if variable:
        monkeypatch.setenv(variable, "1")
    for arguments in (
        ["run", "-d", small_folder, "-m", "bm25", "-m", "run/nowhere"],
        ["run", "-m", "bm52"],
        ["leaderboard"],
        ["list"],
        ["cache", "ls"],
        ["data", "check", small_folder],
    ):
        said = harness_command(*arguments)
        assert "\x1b" not in said.out + said.err


def on_a_terminal(arguments: list[str], folder: Path, **environment: str) -> str:
    """What `harness <arguments>` shows on a terminal."""
    import pty

    master, slave = pty.openpty()
    command = [sys.executable, "-c", ENTRY + "main()", *arguments]
    env = {**os.environ, "TERM": "xterm-256color", **environment}
    process = subprocess.Popen(command, cwd=folder, stdout=slave, stderr=slave, stdin=slave, env=env)
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    process.wait(timeout=60)
    os.close(master)
    return shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_colours_unless_it_wants_none(tmp_path: Path, small_folder: Path) -> None:
    arguments = ["run", "-d", str(small_folder), "-m", "bm25"]
    plain = on_a_terminal(arguments, tmp_path, NO_COLOR="1")
    coloured = on_a_terminal(arguments, tmp_path)
    assert "\x1b[" in coloured
    green = "\x1b[1;32m"
    assert green in coloured
    assert green not in plain
    assert "0.4" in plain


def test_the_plan_is_printed_and_nothing_is_run(harness_command, tmp_path: Path) -> None:
    rows = ["-m", "bm25", "-m", "hybrid-rrf", "-m", "bm25>>dense"]
    said = harness_command("run", "--plan", "-d", "beir/scifact", *rows, "--depth", "50")
    assert said.status == 0
    lines = said.out.splitlines()
    assert lines[0] == "load beir/scifact  ← bm25, hybrid-rrf, bm25>>dense"
    assert "index bm25  ← bm25, hybrid-rrf, bm25>>dense" in lines
    assert "search bm25 to depth 1000  ← bm25, hybrid-rrf, bm25>>dense" in lines
    assert sum(line.startswith("index dense") for line in lines) == 1
    assert not (tmp_path / "results").exists()
    assert not (tmp_path / "cache").exists()


def test_a_plan_of_an_unknown_row_is_bad_input(harness_command) -> None:
    assert harness_command("run", "--plan", "-m", "bm52").status == 2


def test_settings_reach_the_record(harness_command, small_folder: Path, tmp_path: Path) -> None:
    said = harness_command(
        "run", "-d", "./small/train", "-m", "bm25(k1=1.2)", "--measure", "P@5", "--measure", "RR", "--depth", "7",
        "--seed", "3", "--results", "elsewhere", "--cache-dir", "kept", "--device", "cpu",
    )  # fmt: skip
    assert said.status == 0
    (path,) = (tmp_path / "elsewhere").glob("*/*/seed3.json")
    held = json.loads(path.read_text())
    assert (held["row"], held["seed"], held["depth"]) == ("bm25(k1=1.2)", 3, 7)
    assert set(held["measures"]) == {"P@5", "RR"}
    assert held["dataset"]["name"] == "folder/small/train"
    assert list((tmp_path / "kept" / "bm25").iterdir())


def test_version_names_the_main_libraries_and_imports_none(python, harness_command) -> None:
    from importlib.metadata import version

    import harness

    said = harness_command("--version")
    assert said.status == 0
    assert (
        f"retrieval-harness {harness.__version__} (Python {sys.version.split()[0]}, torch {version('torch')}"
        in said.out
    )
    assert imported(python, ["torch", "numpy", "harness.api"], "--version") == "status 0 []"


OF_ONE_DATASET = [
    "decide {}",
    "validate bm25 --baseline bm25 {}",
    "compare bm25 bm25 {}",
    "audit bm25 {}",
    "accept bm25 --why changed {}",
    "export beir --to out {}",
    "export trec --to out {}",
    "export model dense+supervised --to out {}",
    "data check {}",
    "data fetch {}",
]


@pytest.mark.parametrize("command", OF_ONE_DATASET)
def test_a_dataset_is_named_after_the_command_or_with_the_option(
    command: str, harness_command, monkeypatch: pytest.MonkeyPatch
) -> None:
    named: list[str] = []

    def note(_: object, parameters: OneDataset) -> Status:
        named.append(parameters.one_dataset)
        return Status.OK

    monkeypatch.setattr("harness.cli.declaration.run_to_end", note)
    twice = ("beir/mine --dataset beir/mine", "-d beir/mine -d beir/mine")
    for form in ("beir/mine", "--dataset beir/mine", "-d beir/mine", *twice):
        harness_command(*command.format(form).split())
    assert named == ["beir/mine"] * 5


@pytest.mark.parametrize("command", OF_ONE_DATASET)
def test_two_datasets_are_one_too_many(command: str, harness_command) -> None:
    said = harness_command(*command.format("beir/mine -d beir/yours").split())
    assert said.status == 2
    assert "two datasets are named, beir/mine and --dataset beir/yours" in said.err
    said = harness_command(*command.format("-d beir/mine -d beir/yours").split())
    assert said.status == 2
    assert "two datasets are named, --dataset beir/mine and --dataset beir/yours; this command takes one" in said.err


@pytest.mark.parametrize(
    "command", ["decide", "data check", "data fetch", "export beir --to out", "export trec --to out"]
)
def test_a_command_without_its_dataset_says_how_to_name_one(command: str, harness_command) -> None:
    said = harness_command(*command.split())
    assert said.status == 2
    assert "no dataset is named; name one, e.g. beir/scifact" in said.err
