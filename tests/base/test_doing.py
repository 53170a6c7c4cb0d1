"""What is being done goes to whoever listens, and nowhere else."""

import logging

import pytest

from harness.base.doing import LOGGER, doing


def test_it_is_heard_by_a_handler_and_is_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ear = Ear()
    LOGGER.addHandler(ear)
    LOGGER.setLevel(logging.INFO)
    try:
        doing("index bm25 on x")
    finally:
        LOGGER.removeHandler(ear)
    doing("nobody listens")
    assert heard == ["index bm25 on x"]
    assert capsys.readouterr() == ("", "")
