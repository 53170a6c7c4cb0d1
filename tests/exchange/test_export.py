"""Exports that their readers read, with their scores."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytrec_eval

from harness import api
from harness.base.errors import RecordError, SettingError
from harness.base.owned import STAMP
from harness.bench.store import Store
from harness.datasets import load_dataset
from harness.exchange.export import export_beir, export_model, export_mteb, export_trec
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
    assert sorted(path.name for path in out.iterdir()) == [STAMP, "bm25-k1-1.2.run", "qrels.txt", f"topics.{form}"]
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
        RecordError, match=r"no complete run of bm25\(k1=1.5\).*with seed 0; `harness run --dataset .*makes one"
    ):
        export_trec(str(folder), ["bm25(k1=1.5)"], out, "tsv", 0, results, context)
    with open(folder / "qrels" / "test.tsv", "a") as file:
        file.write("asked0\td11\t1\n")
    with pytest.raises(RecordError, match="the run of bm25 is of another version"):
        export_trec(str(folder), ["bm25"], out, "tsv", 0, results, Context(cache=context.cache))
    with pytest.raises(SettingError, match="topics have no format 'csv'; the formats are tsv, xml, sgml"):
        export_trec(str(folder), [], out, "csv", 0, results, context)
    assert not out.exists()


@pytest.mark.parametrize("name", ["topics.tsv", "qrels.txt", "bm25-k1-1.2.run"])
def test_a_file_that_was_not_exported_is_not_replaced(
    ran: tuple[Path, Path], name: str, tmp_path: Path, context: Context
) -> None:
    folder, results = ran
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    with pytest.raises(RecordError, match=f"{name} exists and was not written by this command"):
        export_trec(str(folder), [ROW], out, "tsv", 0, results, context)
    assert [path.name for path in out.iterdir()] == [name]
    assert (out / name).read_text() == "mine"
    (out / name).unlink()
    for _ in range(2):  # its own files are replaced
        export_trec(str(folder), [ROW], out, "tsv", 0, results, context)


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
    with pytest.raises(RecordError, match=r"no record of that row and dataset; .* it has folder/"):
        export_mteb(["beir/scifact/test"], [], tmp_path / "out", held)


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
    with pytest.raises(SettingError, match="is not empty"):
        export_model(row, str(small_folder), 0, out, tmp_path / "results", context)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("bm25", "bm25 trains no model"),
        ("bm25>>dense", "bm25>>dense trains no model"),
        ("recipes", r"recipes names \d+ rows"),
    ],
)
def test_a_row_that_trains_nothing_is_refused_before_it_is_run(
    row: str, told: str, tmp_path: Path, context: Context
) -> None:
    with pytest.raises(SettingError, match=f"{told}.* dense\\+supervised .*bm25>>ce, .*splade, colbert"):
        export_model(row, "./no-such-folder", 0, tmp_path / "none", tmp_path / "results", context)
    assert not (tmp_path / "results").exists()


def test_an_export_replaces_what_it_has_written_and_nothing_else(
    small_folder: Path, tmp_path: Path, context: Context
) -> None:
    out = tmp_path / "out"
    export_beir(str(small_folder), out, context)
    export_beir(f"{small_folder}/train", out, context)
    assert sorted(path.name for path in (out / "qrels").iterdir()) == ["train.tsv"]  # no test of before
    grades = out / "qrels" / "train.tsv"
    grades.write_text(grades.read_text().replace("\t1\n", "\t0\n", 1))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(RecordError, match=r"train\.tsv exists and was not written .* or was changed since"):
        export_beir(str(small_folder), out, context)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_collection_of_the_user_is_not_overwritten(small_folder: Path, tmp_path: Path, context: Context) -> None:
    other = tmp_path / "other"
    (other / "qrels").mkdir(parents=True)
    (other / "queries.jsonl").write_text("mine")
    with pytest.raises(RecordError, match=r"queries\.jsonl exists and was not written by this command"):
        export_beir(str(small_folder), other, context)
    assert (other / "queries.jsonl").read_text() == "mine"


def test_trec_files_keep_who_judged_and_what_is_left_out(small_folder: Path, tmp_path: Path, context: Context) -> None:
    from harness.bench.judged_by import judged_by
    from harness.collection.labels import Label, write_labels
    from harness.collection.qrels import read_qrels

    qrels = read_qrels(small_folder / "qrels" / "test.tsv")
    write_labels(small_folder, [Label(q, d, g, "dense", "machine") for q in qrels for d, g in qrels[q].items()])
    with open(small_folder / "corpus.jsonl", "a") as file:  # a document with the id of a query
        file.write('{"_id": "' + next(iter(qrels)) + '", "text": "another text"}\n')
    (small_folder / "manifest.json").write_text('{"queries": {"parts_of_documents": true}}')
    out = tmp_path / "out"
    for _ in range(2):
        export_trec(str(small_folder), [], out, "tsv", 0, tmp_path / "results", context)
    (out / "corpus.jsonl").write_bytes((small_folder / "corpus.jsonl").read_bytes())
    one, other = (load_dataset(str(place), context) for place in (small_folder, out))
    assert one.revision == other.revision
    assert len(other.drop_self) == 1
    assert judged_by(other, context) == judged_by(one, context)
    assert judged_by(one, context).note.startswith("uncalibrated")


def test_an_export_that_is_interrupted_leaves_the_earlier_one_and_can_be_repeated(
    small_folder: Path, tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    for earlier in (False, True):
        if earlier:
            export_beir(str(small_folder), out, context)
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        with monkeypatch.context() as patched:
            patched.setattr("harness.exchange.beir._judgements", interrupted)
            with pytest.raises(KeyboardInterrupt):
                export_beir(str(small_folder), out, context)
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
        assert out.exists() is earlier
