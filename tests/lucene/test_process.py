"""The talk with a worker, with workers that are a few lines of Python: faults are errors that show what was said
last.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from harness.base.errors import EngineError
from harness.lucene.process import TAIL, Process

HEAD = """
import json, os, sys, time
def say(number, answer=None, **more): print(json.dumps({"id": number, "answer": answer, **more}), flush=True)
say(0, {"pid": os.getpid()})
for line in sys.stdin:
    question = json.loads(line)
    number, do = question.pop("id"), question.pop("do")
    if do == "echo": say(number, question)
"""

Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a worker whose further behaviour is given, lines of Python inside its loop."""
    made: list[Process] = []

    def one(*lines: str, patience: float = 30.0) -> Process:
        code = HEAD + "".join(f"    {line}\n" for line in lines)
        made.append(Process([sys.executable, "-c", code], patience=patience))
        return made[-1]

    yield one
    for process in made:
        process.close()


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 30
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not psutil.pid_exists(pid)


def test_each_question_has_its_answer(start: Start) -> None:
    process = start()
    for i in range(5):
        given = {"number": i, "text": "é 漢字 😀 \x00\u2028\n", "nested": {"a": [None, 1.5]}}
        assert process.ask("echo", **given) == given


def test_one_worker_answers_all_questions_and_is_started_when_first_asked(start: Start) -> None:
    process = start()
    first = process.start()
    process.ask("echo")
    assert process.start() == first


def test_a_long_answer_and_much_talk_besides_do_not_block(start: Start) -> None:
    process = start("print('x' * 100000, file=sys.stderr)")
    assert len(process.ask("echo", text="y" * 1_000_000)["text"]) == 1_000_000
    assert process.ask("echo", a=1) == {"a": 1}


def test_what_the_worker_cannot_do_is_told_with_its_words_and_the_next_question_answered(start: Start) -> None:
    process = start(
        "if do == 'break':",
        "    print('java.io.IOException: no space', file=sys.stderr, flush=True)",
        "    say(number, fault='JavaException: no space left')",
    )
    pid = process.start()["pid"]
    with pytest.raises(
        EngineError, match=r"failed at 'break': JavaException: no space left\.(?s:.*)java\.io\.IOException: no space"
    ):
        process.ask("break")
    assert process.ask("echo", a=1) == {"a": 1}
    assert process.start()["pid"] == pid


def test_a_worker_that_dies_is_an_error_with_the_end_of_what_it_said(start: Start) -> None:
    process = start("if do == 'die':", "    sys.stderr.write('z' * 9999 + ' OutOfMemoryError')", "    os._exit(3)")
    with pytest.raises(EngineError, match=r"ended at 'die' \(exit status 3\)(?s:.*)OutOfMemoryError") as caught:
        process.ask("die")
    assert len(str(caught.value)) < TAIL + 200


def test_the_question_after_a_death_goes_to_a_new_worker(start: Start) -> None:
    process = start("if do == 'die': os._exit(1)")
    before = process.start()["pid"]
    with pytest.raises(EngineError, match="ended at 'die'"):
        process.ask("die")
    assert process.ask("echo", a=1) == {"a": 1}
    assert process.start()["pid"] != before


def test_a_worker_that_was_killed_between_questions_is_started_again(start: Start) -> None:
    process = start()
    pid = process.start()["pid"]
    psutil.Process(pid).kill()
    psutil.Process(pid).wait()
    assert process.ask("echo", a=1) == {"a": 1}


def test_a_worker_that_keeps_silent_is_killed(start: Start) -> None:
    process = start(
        "if do == 'wait':",
        "    print('still merging', file=sys.stderr, flush=True)",
        "    time.sleep(600)",
        patience=5.0,
    )
    pid = process.start()["pid"]
    with pytest.raises(EngineError, match=r"no answer to 'wait' within 5 s\.(?s:.*)still merging"):
        process.ask("wait")
    assert gone(pid)


@pytest.mark.parametrize(
    "said",
    [
        "INFO something",
        "{}",
        "[]",
        "null",
        "1",
        '{"answer": []}',
        '{"id": 99, "answer": []}',
        '{"id": 1}',
        "",
        '{"id": 1, "answer"',
    ],
)
def test_what_is_no_answer_is_an_error_and_the_worker_killed(start: Start, said: str) -> None:
    process = start(f"if do == 'garbage': print({said!r}, flush=True)")
    pid = process.start()["pid"]
    with pytest.raises(EngineError, match="no valid answer to 'garbage'"):
        process.ask("garbage")
    assert gone(pid)


def test_an_answer_cut_off_by_death_is_no_answer(start: Start) -> None:
    process = start(
        "if do == 'half':", '    sys.stdout.write(\'{"id": 1, "ans\')', "    sys.stdout.flush()", "    os._exit(1)"
    )
    with pytest.raises(EngineError, match="no valid answer to 'half'"):
        process.ask("half")


def test_a_worker_that_dies_before_its_first_word_is_an_error_at_its_start() -> None:
    process = Process([sys.executable, "-c", "raise SystemExit('no JVM here')"], patience=30)
    with pytest.raises(EngineError, match=r"ended at 'start' \(exit status 1\)(?s:.*)no JVM here"):
        process.ask("echo")


def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(EngineError, match="cannot be started"):
        Process(["/nowhere/java"]).start()


def test_an_interrupt_kills_the_worker_so_that_no_later_question_gets_its_answer(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start()
    pid = process.start()["pid"]
    assert process._running is not None

    def interrupted(**_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(process._running, "lines", type("Lines", (), {"get": staticmethod(interrupted)}))
    with pytest.raises(KeyboardInterrupt):
        process.ask("echo")
    assert gone(pid)


def test_closing_ends_the_worker(start: Start) -> None:
    process = start()
    pid = process.start()["pid"]
    process.close()
    process.close()
    assert gone(pid)


def test_a_process_nobody_holds_any_longer_ends_its_worker() -> None:
    process = Process([sys.executable, "-c", HEAD])
    pid = process.start()["pid"]
    del process
    gc.collect()
    assert gone(pid)


def test_the_worker_ends_with_the_harness(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    code = f"""
import sys
from harness.lucene.process import Process
process = Process([sys.executable, "-c", {HEAD!r}])
print(process.start()["pid"])
"""
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert gone(int(done.stdout))
