"""What every command that prints a table prints at 60, 80, 100, 140 and 200 columns, as stored in `screens/`.

After an intended change, `HARNESS_WRITE_SCREENS=1 python -m pytest tests/report/test_screens.py` stores what is printed
now; look at the difference before it is committed.
"""

from __future__ import annotations

import dataclasses
import io
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

from harness.bench.published import Published
from harness.bench.row_names import RowNames
from harness.bench.store import Store, StoredRecord
from harness.cache.manage import Entry
from harness.claims.sheet import shown as assessed
from harness.cli.cache_report import _sheet as cache_sheet
from harness.cli.doctor_libraries import Check
from harness.cli.doctor_report import shown as doctor
from harness.cli.listing import _sheet as list_sheet
from harness.compare.advice import sentences
from harness.compare.decision import decide
from harness.compare.evidence import Scores, contrasts
from harness.compare.pairwise import Comparison, QueryPair
from harness.compare.verdict import verdict
from harness.datacheck.findings import Finding, Report
from harness.report import terminal
from harness.report.audit_sheets import shown as audited
from harness.report.board import tables, with_published
from harness.report.check_sheets import shown as checked
from harness.report.comparisons import with_comparisons
from harness.report.comparisons_across import compared_across
from harness.report.decision import decision_sheet
from harness.report.screen import Screen
from harness.report.sheet_formats import Shown
from harness.report.sheets import show
from harness.report.sweep_sentences import sentences as sweep_sentences
from harness.report.sweep_sheets import planned_sheets, sweep_sheet
from harness.report.verdict_sheets import query_sheet, verdict_sheet
from harness.sweep.estimate import Planned
from harness.sweep.result import SweepResult
from tests.claims.test_sheet import CLAIMS
from tests.report.test_audit_sheets import AUDIT

WIDTHS = (60, 80, 100, 140, 200)
SCREENS = Path(__file__).parent / "screens"
FUSED = "hybrid(methods=(bm25, {}), fusion=convex)"
RERANKED = f'rerank(first={FUSED.format("dense+supervised")}, scorer=ce(precision="bf16"), depth=50)'
NESTED = f"hybrid(methods=({FUSED.format('dense+supervised')}, {RERANKED}), fusion=convex)"
ROWS = {
    FUSED.format("dense+supervised"): 0.30,
    NESTED: 0.298,
    FUSED.format("colbert"): 0.28,
    "dense+supervised": 0.27,
    "dense+contrastive_tension+supervised(queries=100)": 0.2,
    "dense+contrastive_tension+supervised(queries=300)": 0.21,
    'dense(model="BAAI/bge-base-en-v1.5", query_prompt="Represent this sentence: ", max_length=256)': 0.22,
    'dense(model="intfloat/e5-small-v2", query_prompt="query: ", max_length=256)': 0.19,
    "bm25": 0.1,
    "run/runs of others/a system from Pinyin 漢字.trec": 0.0,
}
"""Expression → how much better than the worst."""


@pytest.fixture
def board(put: Callable[..., StoredRecord], results: Store) -> Callable[[int], str]:
    """The board of rows with long names on two datasets."""
    rng = np.random.default_rng(8)
    for dataset, n in (("beir/scifact/test", 60), ("folder/my-very-long-corpus-name/test", 40)):
        base = rng.uniform(0.2, 0.5, n)
        for number, (row, gain) in enumerate(ROWS.items()):
            values = np.clip(base + gain + rng.normal(0, 0.06, n), 0, 1)
            notes = [f"{number} of {n} texts were cut", "computed by openvino bf16"]
            put(
                row,
                {f"q{i:02}": round(float(value), 6) for i, value in enumerate(values)},
                dataset=dataset,
                notes=notes,
                alias="mine" if row == "dense+supervised" else "",
                supervision="train labels" if "supervised" in row else "none",
                latency={"p50_ms": 675.04 * (number + 1), "p95_ms": 2000.0, "busy": number == 3},
            )
    stored, _ = results.stored()
    published = Published("Cohere/embed-english-v3.0", "somewhere", {"beir/scifact/test": {"nDCG@10": 0.7183}})
    found = with_published(with_comparisons(tables(each.record for each in stored), results, stored), [published])
    over = compared_across(found, results, stored)

    def at(width: int) -> str:
        return printed(lambda screen: terminal.show(found, screen, over), width)

    return at


def printed(print_to: Callable[[Screen], object], width: int) -> str:
    screen = Screen(width=width)
    screen.file = io.StringIO()
    print_to(screen)
    return screen.file.getvalue()


def of(what: Shown) -> Callable[[int], str]:
    return lambda width: printed(lambda screen: show(screen, what), width)


def compare_with_screens(name: str, at: Callable[[int], str]) -> None:
    """Every width against the stored screens; no line is wider than its terminal."""
    texts = {width: at(width) for width in WIDTHS}
    for width, text in texts.items():
        for line in text.splitlines():
            assert cell_len(line) <= width, line
    found = "".join(f"{'#' * width}\n{text}" for width, text in texts.items())
    place = SCREENS / f"{name}.txt"
    if os.environ.get("HARNESS_WRITE_SCREENS"):
        place.parent.mkdir(exist_ok=True)
        place.write_text(found, encoding="utf-8")
    assert found == place.read_text(encoding="utf-8")


def test_run_and_leaderboard(board: Callable[[int], str]) -> None:
    compare_with_screens("leaderboard", board)


@pytest.mark.parametrize("width", [60, 71, 93, 118, 160])
def test_no_name_is_lost_and_no_number_cut_on_a_board(board: Callable[[int], str], width: int) -> None:
    text = board(width)
    lines = text.splitlines()
    for name in ("mine", "dense+contrastive_tension+supervised queries=300", "hybrid(bm25, dense+supervised)", "bm25"):
        assert any(re.match(rf"{re.escape(name)}(  |$)", line) for line in lines), name
    for number in re.findall(r"[\d.]*…[\d.]*", text):
        assert not re.search(r"\d", number)


def test_decide(scored: Callable[..., Scores]) -> None:
    rng = np.random.default_rng(2)
    base = rng.uniform(0.2, 0.5, 50)
    rows = []
    for row, gain in list(ROWS.items())[:5]:
        values = {f"q{i:02}": round(float(v), 6) for i, v in enumerate(base + gain + rng.normal(0, 0.06, 50))}
        size = {"index_bytes": 2**21, "model_bytes": 2**26}
        rows.append(scored(row, values, latency={"p50_ms": 1183.6, "p95_ms": 1.0}, size=size))
    names = RowNames.of_rows(ROWS)
    found = decide([dataclasses.replace(row, name=names(row.row)) for row in rows])
    compare_with_screens("decide", of(Shown([decision_sheet("beir/scifact/test", found)], sentences(found))))


def test_validate_and_compare(scored: Callable[..., Scores]) -> None:
    queries = [f"q{i:02}" for i in range(40)]
    own = scored("dense+supervised", {q: 0.5 + 0.01 * (i % 7) for i, q in enumerate(queries)})
    others = [
        scored(name, {q: level + 0.01 * (i % 5) for i, q in enumerate(queries)})
        for name, level in (("bm25", 0.1), ("hybrid-convex", 0.51), ("a long name of a baseline", 0.55))
    ]
    verdicts = [verdict(each) for each in contrasts([(own, other) for other in others])]
    words = "what is the effect of a long sentence on the width of a terminal that is narrow"
    gains = tuple(QueryPair(q, 0.9, 0.1234, f"{words} {q}") for q in queries[:2])
    found = Comparison(verdicts[0], gains, (QueryPair("a-long-id-of-a-query-0123456789", 0.0, 1.0, "short"),))
    compare_with_screens("validate", of(Shown([verdict_sheet(verdicts)])))
    compare_with_screens("compare", of(Shown([query_sheet(found)])))


def test_sweep(found: SweepResult) -> None:
    compare_with_screens("sweep", of(Shown([sweep_sheet(found)], sweep_sentences(found))))
    parts = [
        Planned("dense+supervised, every combination of learning_rate and epochs", 120, 360, 12, 93.4, "similar cells"),
        Planned("the chosen rows with all training queries", 3, 9, 0, None, "unknown"),
    ]
    sheets, sentence = planned_sheets({"beir/scifact": parts}, lambda seconds: seconds / 100)
    compare_with_screens("sweep-dry-run", of(Shown(sheets, [sentence])))


def test_list() -> None:
    words = "A sentence on what it does, which is too long for one line of a narrow terminal. Needs: train labels."
    items = {"bm25": "", "contrastive_pretraining": words, "rrf": words[:40]}
    compare_with_screens("list", of(Shown([list_sheet("recipes", items), list_sheet("fusions", {"rrf": "Ranks."})])))


def test_data_check() -> None:
    message = "documents have the text of another: if only one is judged relevant, its copy counts as not relevant."
    findings = (
        Finding("error", "missing-file", 1, "there is no corpus.jsonl.", ("./my-corpus",)),
        Finding("warning", "duplicate-text", 1234, message, ("lines 1 and 81", "lines 2 and 99")),
    )
    report = Report("./my-corpus", findings, {"documents": 1234, "mean words": 2.5})
    compare_with_screens("data-check", of(checked(report)))


def test_audit() -> None:
    compare_with_screens("audit", of(audited(AUDIT)))


def test_claims() -> None:
    compare_with_screens("claims", of(assessed(CLAIMS, "nDCG@10")))


def test_cache_ls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(time, "time", lambda: 1e6)
    common: dict[str, Any] = {"model": "sentence-transformers/all-MiniLM-L6-v2", "collection": "beir/scifact"}
    entries = [
        Entry(kind, "0123456789abcdef", tmp_path, {(0, 0): size}, 1e6 - 86400 * days, {} if kind == "runs" else common)
        for kind, size, days in (("vectors", 123_456_789, 0), ("trained", 2**30, 12.5), ("runs", 0, 400))
    ]
    compare_with_screens("cache-ls", of(Shown([cache_sheet(entries)], ["3 entries, 1,141.7 MiB in ~/.cache"])))


def test_doctor() -> None:
    checks = [
        Check("machine", "processor", "slow", "2 logical processors, 90% in use", "Wait until others have ended"),
        Check("libraries", "ray", "absent", "not installed (extra ray)", "pip install 'retrieval-harness[ray]'"),
        Check("disk", "cache", "fails", "/a/long/path/to/a/folder/that/is/it: Permission denied", "Name another"),
        Check("data", "collections", "ok", ", ".join(f"beir/collection-{i}" for i in range(9))),
    ]
    compare_with_screens("doctor", of(doctor(checks)))
