"""A decision on the made-up collection, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import ComparisonError, SettingError
from harness.compare.decide import decide
from harness.report.decision import document
from harness.runtime.context import Context


@pytest.fixture
def place(small_folder: Path, tmp_path: Path, context: Context) -> dict[str, Any]:
    return {"dataset": str(small_folder), "results": tmp_path / "results", "context": context}


def test_the_board_is_run_and_the_decision_written_beside_it(place: dict[str, Any]) -> None:
    found = decide(**place, rows=["bm25", "bm25(b=0)", "run/nowhere"])
    assert {o.row for o in found.decision.options} == {"bm25", "bm25(b=0)"}
    text = document(found.dataset, found.decision, found.sentences)
    assert found.place.parent.parent == place["results"]
    assert not found.place.exists(), "`harness.api.decide` writes it"
    assert text.startswith("# Which row on folder/")
    assert all(f"- {sentence}" in text for sentence in found.sentences)
    assert "| `bm25" in text
    absent = [s for s in found.sentences if "has no scores, error" in s]
    assert len(absent) == 1
    assert "there is no run file nowhere" in absent[0]


def test_what_training_has_seen_and_what_was_not_tried_is_told(
    place: dict[str, Any], small_folder: Path, tiny_encoder: Path
) -> None:
    queries = small_folder / "queries.jsonl"
    train, test = (
        (small_folder / "qrels" / f"{s}.tsv").read_text().splitlines()[1].split("\t")[0] for s in ("train", "test")
    )
    lines = queries.read_text().splitlines()
    text = next(line for line in lines if f'"{test}"' in line).replace(f'"{test}"', f'"{train}"')
    queries.write_text("\n".join(text if f'"{train}"' in line else line for line in lines) + "\n")
    told = "\n".join(decide(**place, rows=["bm25"]).sentences)
    assert "No row was trained, though there are" in told
    assert "occurs in train" not in told, "no row used labels"
    trained = decide(**place, rows=["bm25", f'dense(model="{tiny_encoder}")+frozen_head(budget="smoke")'])
    told = "\n".join(trained.sentences)
    assert "No row was trained" not in told
    assert "1 test query also occurs in train or dev; over the others `" in told
    assert "has the highest mean, 0." in told


def test_rows_with_many_more_unjudged_documents_are_named(
    place: dict[str, Any], small_folder: Path, tmp_path: Path
) -> None:
    qrels = small_folder / "qrels" / "test.tsv"
    head, *lines = qrels.read_text().splitlines()
    judged: dict[str, list[str]] = {}
    for line in lines:
        query, document, _ = line.split("\t")
        judged.setdefault(query, []).append(document)
    corpus = [line.split('"')[3] for line in (small_folder / "corpus.jsonl").read_text().splitlines()]
    others = {q: [d for d in corpus if d not in known][:3] for q, known in judged.items()}
    lines += [f"{q}\t{found[0]}\t0" for q, found in others.items()]
    qrels.write_text("\n".join([head, *lines]) + "\n")
    for name, rankings in (
        ("known", {q: [*judged[q], others[q][0]] for q in judged}),
        ("new", {q: others[q][1:] for q in judged}),
    ):
        told = [f"{q} Q0 {d} {r} {10 - r} x" for q, found in rankings.items() for r, d in enumerate(found, 1)]
        (tmp_path / f"{name}.trec").write_text("\n".join(told) + "\n")
    found = decide(**place, rows=[f"run/{tmp_path / 'known.trec'}", f"run/{tmp_path / 'new.trec'}"])
    (said,) = [s for s in found.sentences if "may be too low" in s]
    assert said.startswith("100% of the best row's documents are judged")
    assert "new.trec" in said


def test_no_figures_and_bad_settings_are_told(place: dict[str, Any]) -> None:
    with pytest.raises(ComparisonError, match=r"no row has scores \(.*there is no run file nowhere"):
        decide(**place, rows=["run/nowhere"])
    with pytest.raises(SettingError, match="margin"):
        decide(**place, margin=2)
    with pytest.raises(SettingError, match="one measure"):
        decide(**place, measure="P@3, P@5")
    with pytest.raises(SettingError, match="seeds"):
        decide(**place, rows=["bm25"], seeds=0)


def test_the_command_prints_the_table_the_verdict_and_where_it_is(harness_command: Any, small_folder: Path) -> None:
    said = harness_command("decide", small_folder, "-m", "bm25", "-m", "bm25(b=0)")
    assert said.status == 0, said.err
    assert "Best: bm25" in said.out
    assert "from the best" in said.out
    assert "decision.md" in said.out
    assert harness_command("decide", "./none").status == 2
