"""An audit as tables."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

from harness.audit.conventions import RunAudit
from harness.audit.row import Audit, EncoderAudit
from harness.models.probe import Drift, Truncation
from harness.report.audit_sheets import PASSAGES, shown
from harness.report.sheet_formats import as_csv, as_json, as_markdown

CONVENTIONS = {
    "mean over answered queries only (BEIR, MTEB)": 0.5,
    "unjudged documents within the cutoff all relevant": 0.9,
}
RUN = RunAudit("nDCG@10", 0.45, 1234, 12, 3, 0.44, 0.46, 0.087, 2, 0.99, CONVENTIONS)
CUT = Truncation(5000, 256, 1250, 0.263, 1637)
WHOLE = Truncation(1234, 256, 0, 0.0, 30)
DRIFT = Drift("in fp32", 32, 2e-5, 1, 5)
ENCODER = EncoderAudit("sentence-transformers/all-MiniLM-L6-v2", ("ask: ", ""), CUT, WHOLE, (DRIFT,))
AUDIT = Audit("bm25>>dense", "beir/scifact/test", RUN, 0, (ENCODER,))


def test_json_has_the_numbers() -> None:
    data = json.loads(as_json(shown(AUDIT)))
    assert data["sentences"] == ["bm25>>dense on beir/scifact/test: nDCG@10 0.4500 over 1,234 queries."]
    assert {key: data[key] for key in ("score", "worst_ties", "best_ties", "ceiling", "queries")} == {
        "score": 0.45,
        "worst_ties": 0.44,
        "best_ties": 0.46,
        "ceiling": 0.99,
        "queries": 1234,
    }
    run, conventions, lengths, computations = (table["rows"] for table in data["tables"])
    assert {row["finding"]: row["value"] for row in run}["judged within the cutoff"] == 0.087
    assert {row["finding"]: row["value"] for row in run}["unanswered queries"] == 12
    assert conventions[1]["difference"] == 0.9 - 0.45
    queries, documents = lengths
    assert queries["prompt"] == '"ask: "'
    assert documents["prompt"] == "none"
    assert [documents[key] for key in ("longer", "limit", "lost", "longest")] == [1250, 256, 0.263, 1637]
    assert (queries["longer"], queries["lost"]) == (0, 0.0)
    assert computations == [
        {"way": f"in fp32, {ENCODER.model}", "queries": 32, "cosine": 2e-5, "changed": 1, "order": 5}
    ]


def test_csv_has_every_table() -> None:
    lines = list(csv.DictReader(io.StringIO(as_csv(shown(AUDIT)))))
    assert [line["table"] for line in lines] == ["run"] * 5 + ["conventions"] * 2 + ["lengths"] * 2 + ["computations"]


def test_a_lexical_row_has_no_table_of_encoders() -> None:
    text = as_markdown(shown(dataclasses.replace(AUDIT, encoders=())))
    assert "by the conventions of others" in text
    assert "encoders" not in text


def test_passages_are_advised_if_documents_are_cut() -> None:
    def notes(documents: Truncation | None) -> list[str]:
        encoder = dataclasses.replace(ENCODER, documents=documents)
        return [note for sheet in shown(dataclasses.replace(AUDIT, encoders=(encoder,))).sheets for note in sheet.notes]

    assert notes(CUT) == [PASSAGES]
    assert notes(WHOLE) == []
    assert notes(None) == ["–: the model's tokenizer cannot count tokens."]
