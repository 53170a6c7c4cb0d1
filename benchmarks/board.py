"""The default board compared with the same rows by hand: one careful script, separate tools, and encoding only.

    python benchmarks/board.py beir/cranfield [--documents 400] [--queries 60] [--rounds 1] [--again]

Each round times whole processes, in turn: the rows by separate tools that know nothing of each other (BM25 alone, MTEB
for the dense row, a hybrid script, a re-ranking script), their seconds added; one careful script that encodes once with
`SentenceTransformer.encode`, in fp32 and in bf16, and does all rows from that (bm25s, `semantic_search`, fusions,
re-ranking, pytrec_eval); `SentenceTransformer.encode` of the corpus alone; and `harness run` from an empty cache, the
default rows but the cross-encoder, as it comes and with `--precision fp32`. With `--again` also the board a second
time, and with `--rerun`. The hybrids fuse half and half in all: dev queries are left out. A part of a collection, with
all documents that are judged for the queries taken, fits a small machine; 0 takes all. What runs by hand is in
`_board_peers.py`.

The table says by how much each way's scores differ from `harness run --precision fp32` and how much they may. Ends with
status 1 where one differs by more: 0.001 in fp32, 0.005 in bf16. Rows with BM25 in them may also differ by what a swap
of two neighbours changes in one query: bm25s takes document lengths as they are, Lucene and the harness in one byte.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from _table import Parts, interleaved, parser, process, show, timed
from harness.api import methods_of, open_context
from harness.data.dataset import Dataset
from harness.datasets import load_dataset
from harness.models.resolve import resolve

ROWS = ("bm25", "dense", "hybrid-rrf", "hybrid-convex", "bm25>>dense")
SEPARATE = ("bm25", "dense", "hybrid", "rerank")
MEASURES = ("nDCG@10", "R@100")
LIMIT, LIMIT_BF16 = 1e-3, 5e-3
SWAP = 0.1
"""Of one query's score."""
PEERS = Path(__file__).with_name("_board_peers.py")
OURS, REFERENCE = "harness run, cold", "harness run --precision fp32, cold"
SCRIPT, SCRIPT_BF16, TOOLS = "one script, encodes once", "one script, encodes once in bf16", "separate tools"
LIMITS = {TOOLS: LIMIT, SCRIPT: LIMIT, SCRIPT_BF16: LIMIT_BF16, OURS: LIMIT_BF16}
ENCODE = "SentenceTransformer.encode alone"
ENCODES = """
import json, sys
from sentence_transformers import SentenceTransformer
texts = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
SentenceTransformer(sys.argv[1]).encode([f"{t['title']} {t['text']}".strip() for t in texts])
"""
Scores = dict[str, dict[str, float]]


def write_part(dataset: Dataset, folder: Path, documents: int, queries: int) -> str:
    """Writes the first queries, all documents judged for them, and others up to so many; returns the title."""
    qrels = dict(list(dataset.test.qrels.items())[: queries or None])
    judged = {document for grades in qrels.values() for document in grades}
    room = max(0, (documents or len(dataset.corpus)) - len(judged))
    written, others = 0, 0
    (folder / "qrels").mkdir(parents=True)
    with open(folder / "corpus.jsonl", "w", encoding="utf-8") as file:
        for document in (d for batch in dataset.corpus.batches() for d in batch):
            if document.id not in judged and others >= room:
                continue
            others += document.id not in judged
            written += 1
            file.write(json.dumps({"_id": document.id, "title": document.title, "text": document.text}) + "\n")
    with open(folder / "queries.jsonl", "w", encoding="utf-8") as file:
        for query, text in zip(dataset.test.queries.ids, dataset.test.queries.texts, strict=True):
            if query in qrels:
                file.write(json.dumps({"_id": query, "text": text}) + "\n")
    lines = [f"{query}\t{document}\t{grade}\n" for query, grades in qrels.items() for document, grade in grades.items()]
    (folder / "qrels" / "test.tsv").write_text("".join(["query-id\tcorpus-id\tscore\n", *lines]), encoding="utf-8")
    return f"the default rows on {dataset.name}: {written:,} documents, {len(qrels)} queries"


def by_hand(*arguments: str) -> Scores:
    """What a tool of `_board_peers.py` prints last."""
    done = subprocess.run([sys.executable, str(PEERS), *arguments], check=True, capture_output=True, text=True)
    found: Scores = json.loads(done.stdout.splitlines()[-1])
    return found


def recorded(results: Path, precision: str | None) -> Scores:
    """What the board recorded, by the names of the rows in fp32."""
    records = [json.loads(path.read_text(encoding="utf-8")) for path in results.rglob("seed0.json")]
    names = {method.full(): row for row in ROWS for method in methods_of([row], precision)}
    return {names[record["method"]]: {name: record["measures"][name] for name in MEASURES} for record in records}


def main() -> None:
    """Times, compares and prints."""
    options = parser(__doc__, rounds=1)
    options.add_argument("dataset", nargs="?", default="stdlib/code")
    options.add_argument("--documents", type=int, default=0)
    options.add_argument("--queries", type=int, default=0)
    options.add_argument("--again", action="store_true", help="the board a second time, and with --rerun")
    arguments = options.parse_args()
    context = open_context()
    dataset = load_dataset(arguments.dataset, context)
    model = str(resolve("sentence-transformers/all-MiniLM-L6-v2", context).path)
    scores: dict[str, Scores] = {}
    with tempfile.TemporaryDirectory() as temporary:
        place, numbers = Path(temporary), count()
        part = place / "part"
        title = write_part(dataset, part, arguments.documents, arguments.queries)
        board = [sys.executable, "-m", "harness", "run", "--quiet", "--dataset", str(part)]
        board += [word for row in ROWS for word in ("--method", row)]

        def ours(way: str, precision: str | None = None) -> Parts:
            folder = place / f"board{next(numbers)}"
            command = [*board, "--results", f"{folder}/results", "--cache-dir", f"{folder}/cache"]
            command += ["--precision", precision] if precision else []
            spent = process(command)
            scores[way] = recorded(folder / "results", precision)
            if arguments.again:
                spent = {"again": process(command)["wall"], "--rerun": process([*command, "--rerun"])["wall"], **spent}
            return spent_of(spent)

        def script(way: str, tool: str) -> Parts:
            return {"wall": timed(lambda: scores.update({way: by_hand(tool, str(part), model)}))}

        def run_tool(tool: str) -> None:
            scores[TOOLS].update(by_hand(tool, str(part), model))

        def tools() -> Parts:
            scores[TOOLS] = {}
            each = {}
            for tool in SEPARATE:
                each[tool] = timed(partial(run_tool, tool))
            return {**each, "wall": sum(each.values())}

        ways: dict[str, Callable[[], Parts]] = {
            TOOLS: tools,
            SCRIPT: lambda: script(SCRIPT, "once"),
            SCRIPT_BF16: lambda: script(SCRIPT_BF16, "once-bf16"),
            ENCODE: lambda: {
                "wall": process([sys.executable, "-c", ENCODES, model, str(part / "corpus.jsonl")])["wall"]
            },
            OURS: lambda: ours(OURS),
            REFERENCE: lambda: ours(REFERENCE, "fp32"),
        }
        table = interleaved(title, ways, arguments.rounds, warm_up=0, against=TOOLS)
    queries = len(dataset.test.qrels) if not arguments.queries else min(arguments.queries, len(dataset.test.qrels))
    swap = SWAP / queries
    extra = {
        way: {
            "differs from fp32 by": f"{most(scores[way], scores[REFERENCE]):.5f}",
            "may differ by": f"{limit:.3f}, with BM25 {limit + swap:.5f}",
        }
        for way, limit in LIMITS.items()
    }
    show(dataclasses.replace(table, extra=extra), arguments)
    for row in ROWS:
        shown = [f"{way} " + " ".join(f"{found[row][name]:.5f}" for name in MEASURES) for way, found in scores.items()]
        print(f"{row:14} {' '.join(MEASURES)}:  {',  '.join(shown)}")
    sys.exit(any(differ(scores[way], scores[REFERENCE], limit, swap) for way, limit in LIMITS.items()))


def spent_of(spent: Parts) -> Parts:
    """Without CPU seconds, which the other ways do not tell; wall seconds last."""
    return {**{part: value for part, value in spent.items() if part not in ("wall", "CPU")}, "wall": spent["wall"]}


def differ(found: Scores, reference: Scores, limit: float, swap: float) -> bool:
    """Whether a score is further from the reference's than it may be."""
    limits = {row: limit + (0.0 if row == "dense" else swap) for row in ROWS}
    return any(abs(found[row][name] - reference[row][name]) > limits[row] for row in ROWS for name in MEASURES)


def most(found: Scores, reference: Scores) -> float:
    """The greatest difference of a score."""
    return max(abs(found[row][measure] - reference[row][measure]) for row in ROWS for measure in MEASURES)


if __name__ == "__main__":
    main()
