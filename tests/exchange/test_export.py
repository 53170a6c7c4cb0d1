"""Exports that their readers read, figures and all; imports that stand beside what was measured and change nothing of
it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytrec_eval

from harness import api
from harness.base.errors import RecordError, SettingError
from harness.bench.store import Store
from harness.datasets import load_dataset
from harness.exchange.export import export_beir, export_model, export_mteb, export_trec, import_published
from harness.runtime.context import Context

ROW = "bm25(k1=1.2)"


@pytest.fixture
def ran(small_folder: Path, tmp_path: Path, context: Context) -> tuple[Path, Path]:
    """The folder of the collection and the results of a row over it."""
    api.run(ROW, "bm25", dataset=str(small_folder), results=tmp_path / "results", context=context)
    return small_folder, tmp_path / "results"


@pytest.mark.parametrize("form", ["tsv", "xml", "sgml"])
def test_trec_eval_agrees_on_what_is_exported(
    ran: tuple[Path, Path], form: str, tmp_path: Path, context: Context
) -> None:
    folder, results = ran
    out = tmp_path / "out"
    lines = export_trec(str(folder), [ROW], out, form, 0, results, context)
    assert sorted(path.name for path in out.iterdir()) == ["bm25-k1-1.2.run", "qrels.txt", f"topics.{form}"]
    assert f"trec_eval -c -m ndcg_cut.10 {out}/qrels.txt {out}/bm25-k1-1.2.run" in lines
    with open(out / "qrels.txt") as qrels, open(out / "bm25-k1-1.2.run") as run:
        judged = pytrec_eval.parse_qrel(qrels)
        values = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut.10", "recall.100"}).evaluate(
            pytrec_eval.parse_run(run)
        )
    (record,) = [r for r in Store(results).all()[0] if r.row == ROW]
    for measure, name in (("nDCG@10", "ndcg_cut_10"), ("R@100", "recall_100")):
        mean = sum(value[name] for value in values.values()) / len(judged)  # -c: over all judged queries
        assert mean == pytest.approx(record.measures[measure], abs=1e-6)


def test_what_trec_tools_get_is_a_collection_here(ran: tuple[Path, Path], tmp_path: Path, context: Context) -> None:
    folder, results = ran
    out = tmp_path / "out"
    export_trec(str(folder), [ROW], out, "sgml", 0, results, context)
    (out / "corpus.jsonl").write_bytes((folder / "corpus.jsonl").read_bytes())
    run = out / "bm25-k1-1.2.run"
    first, again = (
        api.run(row, dataset=str(place), results=tmp_path / "again", context=context).results[0].record
        for row, place in ((ROW, folder), (f"run/{run}", out))
    )
    assert again.status == "ok", again.problem
    assert again.dataset["revision"] == first.dataset["revision"]
    assert again.measures == first.measures


def test_a_run_that_is_not_there_or_of_another_content_is_refused(
    ran: tuple[Path, Path], tmp_path: Path, context: Context
) -> None:
    folder, results = ran
    out = tmp_path / "out"
    with pytest.raises(
        RecordError, match=r"no whole run of bm25\(k1=1.5\).*with seed 0; `harness run --dataset .*makes one"
    ):
        export_trec(str(folder), ["bm25(k1=1.5)"], out, "tsv", 0, results, context)
    with open(folder / "qrels" / "test.tsv", "a") as file:
        file.write("asked0\td11\t1\n")
    with pytest.raises(RecordError, match="the run of bm25 is of another content"):
        export_trec(str(folder), ["bm25"], out, "tsv", 0, results, Context(cache=context.cache))
    with pytest.raises(SettingError, match="topics have no form 'csv'; tsv, xml, sgml"):
        export_trec(str(folder), [], out, "csv", 0, results, context)
    assert not out.exists()


def test_a_dataset_goes_to_beirs_form_and_back(ran: tuple[Path, Path], tmp_path: Path, context: Context) -> None:
    folder, _ = ran
    (line,) = export_beir(str(folder), tmp_path / "out", context)
    assert "60 documents; queries: train 24, dev 6, test 20" in line
    one, other = load_dataset(str(folder), context), load_dataset(str(tmp_path / "out"), context)
    assert (one.revision, one.train.revision) == (other.revision, other.train.revision)


def test_records_go_to_mteb(ran: tuple[Path, Path], tmp_path: Path) -> None:
    results = pytest.importorskip("mteb.results", reason="mteb is not installed")
    _, held = ran
    lines = export_mteb([], [ROW], tmp_path / "out", held)
    assert len(lines) == 1
    (record,) = [r for r in Store(held).all()[0] if r.row == ROW]
    assert results.TaskResult.from_disk(Path(lines[0])).get_score() == pytest.approx(record.measures["nDCG@10"])
    with pytest.raises(RecordError, match=r"no record of that row and dataset; its datasets are folder/"):
        export_mteb(["beir/scifact/test"], [], tmp_path / "out", held)


def published(place: Path, **changed: Any) -> Path:
    held = {"title": "their BM25", "source": "their page", "note": "k1=0.9", "figures": {}, **changed}
    place.write_text(json.dumps(held), encoding="utf-8")
    return place


def test_published_figures_stand_beside_the_measured_and_change_nothing(
    ran: tuple[Path, Path], tmp_path: Path, context: Context
) -> None:
    _, results = ran
    name = Store(results).all()[0][0].dataset["name"]
    before, over, _ = api.write_leaderboard(results, context)
    given = published(
        tmp_path / "theirs.json", figures={name: {"nDCG@10": 0.99, "R@5": 0.5}, "beir/other/test": {"R@5": 0.5}}
    )
    lines = import_published([given], results)
    assert lines[-1] == "shown once a row is measured there: beir/other/test"
    (table,), again, faults = api.write_leaderboard(results, context)
    assert faults == []
    assert table.beside == [("published/their BM25", ["0.9900", "–", "–", "–"])]
    assert (table.lines, table.seen, table.decision, again) == (
        before[0].lines,
        before[0].seen,
        before[0].decision,
        over,
    )
    assert table.best("nDCG@10") != "0.9900"
    note = "`published/their BM25`: published figures, not measured here: their page; k1=0.9"
    assert note in table.notes
    text = (results / "leaderboard.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("| `published/their BM25`")]
    assert "*(not measured here)*" in row
    assert "0.9900" in row
    assert "**0.9900**" not in row
    assert len(row) == len(next(line for line in text.splitlines() if line.startswith("| `bm25`")))
    (line,) = [line for line in (results / "leaderboard.csv").read_text().splitlines() if "their BM25" in line]
    head = (results / "leaderboard.csv").read_text().splitlines()[0]
    assert line.startswith(f"{name},published/their BM25,,published,nDCG@10,0.990000,")
    assert line.count(",") == head.count(",")
    latex = (results / "leaderboard.tex").read_text(encoding="utf-8")
    assert latex.count(r"\midrule") == 2
    assert "figures published by others, not measured here" in latex
    page = (results / "leaderboard.html").read_text(encoding="utf-8")
    assert "<tfoot>" in page
    assert page.index("<tfoot>") > page.index("</tbody>")


@pytest.mark.parametrize(("name", "full"), [("scifact", "beir/scifact/test"), ("msmarco", "beir/msmarco/dev")])
def test_beirs_collections_may_be_named_alone(tmp_path: Path, name: str, full: str) -> None:
    given = published(tmp_path / "theirs.json", figures={name: {"nDCG@10": 0.5}})
    import_published([given], tmp_path / "results")
    held = json.loads((tmp_path / "results" / "published" / "their-BM25.json").read_text())
    assert held["figures"] == {full: {"nDCG@10": 0.5}}


def test_several_models_come_from_one_file(tmp_path: Path) -> None:
    models = {
        "a/x": {"scifact": {"nDCG@10": 0.5, "mteb_version": None, "revision": "r"}},
        "b/y": {"scifact": {"R@100": 0.9}},
    }
    given = tmp_path / "many.json"
    given.write_text(json.dumps({"models": models}), encoding="utf-8")
    import_published([given], tmp_path / "results")
    assert sorted(path.name for path in (tmp_path / "results" / "published").iterdir()) == ["a-x.json", "b-y.json"]


def test_the_projects_own_published_figures_can_be_imported(tmp_path: Path) -> None:
    paths = sorted((Path(__file__).parents[2] / "suites" / "published").glob("*.json"))
    assert paths
    import_published(paths, tmp_path / "results")
    assert len(list((tmp_path / "results" / "published").iterdir())) == len(paths)


def test_what_is_absent_or_broken_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"there is no .*absent\.json"):
        import_published([tmp_path / "absent.json"], tmp_path / "results")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(RecordError, match=r"broken\.json is not JSON"):
        import_published([tmp_path / "broken.json"], tmp_path / "results")


def test_a_trained_model_is_exported_with_what_its_row_gave(
    small_folder: Path, tiny_encoder: Path, tmp_path: Path, context: Context
) -> None:
    from huggingface_hub import ModelCard

    row, out = f'dense(model="{tiny_encoder}")+supervised(budget="smoke")', tmp_path / "out"
    export_model(row, str(small_folder), 0, out, tmp_path / "results", context)
    (record,) = Store(tmp_path / "results").all()[0]
    card = ModelCard.load(out / "README.md")
    dev, *reported = card.data.eval_results
    assert dev.dataset_split == "dev"
    told = record.resolved["training"][0]
    assert dev.metric_value == pytest.approx(dict(map(tuple, told["dev"]))[told["chosen"]], abs=1e-6)
    assert {r.metric_name: r.metric_value for r in reported} == {
        f"{m} of {record.row}": v for m, v in record.measures.items()
    }
    assert {r.dataset_revision for r in reported} == {record.dataset["revision"]}
    again = f'dense(model="{out}")'
    export_model(again, str(small_folder), 0, tmp_path / "copy", tmp_path / "results", context)
    assert (tmp_path / "copy" / "README.md").is_file()
    figures = api.run(again, dataset=str(small_folder), results=tmp_path / "results", context=context).results[0].record
    assert figures.measures == record.measures
    with pytest.raises(SettingError, match="holds something already"):
        export_model(row, str(small_folder), 0, out, tmp_path / "results", context)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("bm25", "bm25 trains no model"),
        ("bm25>>dense", "bm25>>dense trains no model"),
        ("recipes", r"recipes stands for \d+ rows"),
    ],
)
def test_a_row_that_trains_nothing_is_refused_before_it_is_run(
    row: str, told: str, tmp_path: Path, context: Context
) -> None:
    with pytest.raises(SettingError, match=f"{told}.* dense\\+supervised .*bm25>>ce, .*splade, colbert"):
        export_model(row, "./no-such-folder", 0, tmp_path / "none", tmp_path / "results", context)
    assert not (tmp_path / "results").exists()


def test_the_commands(harness_command: Callable[..., Any], ran: tuple[Path, Path], tmp_path: Path) -> None:
    folder, results = ran
    said = harness_command(
        "export", "trec", folder, "--to", "out", "--method", "bm25", "--topics", "xml", "--results", results
    )
    assert said.status == 0, said.err
    assert (tmp_path / "out" / "topics.xml").is_file()
    assert (tmp_path / "out" / "bm25.run").is_file()
    assert harness_command("export", "beir", folder, "--to", "beir").status == 0
    assert (tmp_path / "beir" / "qrels" / "dev.tsv").is_file()
    name = Store(results).all()[0][0].dataset["name"]
    given = published(tmp_path / "theirs.json", figures={name: {"nDCG@10": 0.5}})
    said = harness_command("import", given, "--results", results)
    assert said.status == 0, said.err
    assert "published/their BM25" in said.out
    assert "published/their BM25" in (results / "leaderboard.md").read_text(encoding="utf-8")
    assert "published/their BM25" in harness_command("leaderboard", "--results", results).out
    said = harness_command("export", "model", "bm25", "--to", "model", "--dataset", folder, "--results", results)
    assert said.status == 2
    assert "bm25 trains no model" in said.err
