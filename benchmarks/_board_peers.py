"""The default rows by hand, with the usual tools: bm25s, sentence-transformers, MTEB, pytrec_eval.

    python benchmarks/_board_peers.py once|once-bf16|bm25|dense|hybrid|rerank FOLDER MODEL

FOLDER contains a collection in BEIR's layout with a test split. `once` is one careful script that encodes it
once, `once-bf16` the same with the weights in bf16; the others are separate tools, each of which does only its own
part. Prints row → measure → mean, as JSON.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEPTH, CANDIDATES, RRF = 1000, 100, 60
Run = dict[str, dict[str, float]]
Means = dict[str, float]


class Collection:
    """A folder in BEIR's form, read into memory."""

    def __init__(self, folder: Path) -> None:
        documents, queries = (lines(folder / name) for name in ("corpus.jsonl", "queries.jsonl"))
        self.ids = [each["_id"] for each in documents]
        self.texts = [f"{each['title']} {each['text']}".strip() for each in documents]
        self.qrels: dict[str, dict[str, int]] = {}
        with open(folder / "qrels" / "test.tsv", encoding="utf-8") as file:
            for query, document, grade in list(csv.reader(file, delimiter="\t"))[1:]:
                self.qrels.setdefault(query, {})[document] = int(grade)
        self.queries = {each["_id"]: each["text"] for each in queries if each["_id"] in self.qrels}


def lines(path: Path) -> list[dict[str, str]]:
    """One JSON object per line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def bm25(data: Collection) -> Run:
    """bm25s, with the harness's English analyser so that it retrieves what Lucene would."""
    import bm25s

    from harness.analyzers.english import English

    analyse = English()
    model = bm25s.BM25(k1=0.9, b=0.4, method="lucene")
    model.index([analyse(text) for text in data.texts], show_progress=False)
    queries = [analyse(text) for text in data.queries.values()]
    rows, scores = model.retrieve(queries, k=min(DEPTH, len(data.ids)), show_progress=False)
    return {
        query: {data.ids[i]: float(s) for i, s in zip(r, v, strict=True) if s > 0}
        for query, r, v in zip(data.queries, rows, scores, strict=True)
    }


def encoder(model: str, precision: str = "float32") -> Any:
    """The model as sentence-transformers loads it, its weights in a type that torch knows by this name."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(model, model_kwargs={"dtype": precision})


def dense(data: Collection, documents: Any, queries: Any) -> Run:
    """`semantic_search` over encoded texts."""
    from sentence_transformers.util import semantic_search

    found = semantic_search(queries, documents, top_k=min(DEPTH, len(data.ids)))
    named = ({data.ids[int(hit["corpus_id"])]: hit["score"] for hit in hits} for hits in found)
    return dict(zip(data.queries, named, strict=True))


def best(run: Run, depth: int) -> dict[str, list[str]]:
    """The top documents of each query."""
    return {
        query: [d for _, d in sorted(zip(found.values(), found, strict=True))[::-1][:depth]]
        for query, found in run.items()
    }


def reciprocal(first: Run, second: Run) -> Run:
    """Reciprocal rank fusion."""
    fused: Run = {query: {} for query in first}
    for run in (first, second):
        for query, documents in best(run, DEPTH).items():
            for place, document in enumerate(documents, 1):
                fused[query][document] = fused[query].get(document, 0.0) + 1 / (RRF + place)
    return fused


def convex(first: Run, second: Run) -> Run:
    """The mean of both scores, each scaled to 0…1."""
    fused: Run = {}
    for query in first:
        fused[query] = {}
        for run in (first, second):
            if not run[query]:
                continue
            low, high = min(run[query].values()), max(run[query].values())
            for document, score in run[query].items():
                normal = (score - low) / (high - low) if high > low else 1.0
                fused[query][document] = fused[query].get(document, 0.0) + normal / 2
    return fused


def rescored(candidates: dict[str, list[str]], vectors: dict[str, Any], queries: Any) -> Run:
    """Candidates ranked by cosine."""
    run: Run = {}
    for (query, documents), vector in zip(candidates.items(), queries, strict=True):
        scores = [float(vectors[document] @ vector) for document in documents]
        run[query] = dict(zip(documents, scores, strict=True))
    return run


def judged(data: Collection, run: Run) -> Means:
    """nDCG@10 and R@100 by pytrec_eval; a query without an answer counts 0."""
    import pytrec_eval

    found = pytrec_eval.RelevanceEvaluator(data.qrels, {"ndcg_cut.10", "recall.100"}).evaluate(run)
    names = {"nDCG@10": "ndcg_cut_10", "R@100": "recall_100"}
    return {name: sum(each[theirs] for each in found.values()) / len(data.qrels) for name, theirs in names.items()}


def once(data: Collection, model: str, precision: str = "float32") -> dict[str, Means]:
    """All rows in one script."""
    loaded, lexical = encoder(model, precision), bm25(data)
    tensors = (loaded.encode(texts, convert_to_tensor=True) for texts in (data.texts, list(data.queries.values())))
    documents, queries = (tensor.float().numpy() for tensor in tensors)
    vectors = dict(zip(data.ids, documents, strict=True))
    near = dense(data, documents, queries)
    again = rescored(best(lexical, CANDIDATES), vectors, queries)
    runs = {
        "bm25": lexical,
        "dense": near,
        "hybrid-rrf": reciprocal(lexical, near),
        "hybrid-convex": convex(lexical, near),
    }
    return {row: judged(data, run) for row, run in {**runs, "bm25>>dense": again}.items()}


def by_mteb(model: str, folder: Path) -> dict[str, Means]:
    """The dense row by `mteb.evaluate`, from files to scores."""
    import mteb

    from evaluators import task_of
    from harness import load_dataset, open_context

    task = task_of(load_dataset(str(folder.resolve()), open_context()))
    found = mteb.evaluate(encoder(model), task, cache=None, co2_tracker=False, show_progress_bar=False)
    (scores,) = found.task_results[0].scores["test"]
    return {"dense": {"nDCG@10": scores["ndcg_at_10"], "R@100": scores["recall_at_100"]}}


def hybrid(data: Collection, model: str) -> dict[str, Means]:
    """Both fusions, in a script that searches both ways itself."""
    loaded, lexical = encoder(model), bm25(data)
    near = dense(data, loaded.encode(data.texts), loaded.encode(list(data.queries.values())))
    return {
        "hybrid-rrf": judged(data, reciprocal(lexical, near)),
        "hybrid-convex": judged(data, convex(lexical, near)),
    }


def rerank(data: Collection, model: str) -> dict[str, Means]:
    """BM25's candidates encoded, each document once though it is a candidate of several queries, and scored."""
    loaded, candidates = encoder(model), best(bm25(data), CANDIDATES)
    texts = dict(zip(data.ids, data.texts, strict=True))
    needed = sorted({document for documents in candidates.values() for document in documents})
    vectors = dict(zip(needed, loaded.encode([texts[d] for d in needed]), strict=True))
    return {"bm25>>dense": judged(data, rescored(candidates, vectors, loaded.encode(list(data.queries.values()))))}


def main() -> None:
    """One tool's work."""
    tool, folder, model = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    data = Collection(folder)
    tools: dict[str, Callable[[], dict[str, Means]]] = {
        "once": lambda: once(data, model),
        "once-bf16": lambda: once(data, model, "bfloat16"),
        "bm25": lambda: {"bm25": judged(data, bm25(data))},
        "dense": lambda: by_mteb(model, folder),
        "hybrid": lambda: hybrid(data, model),
        "rerank": lambda: rerank(data, model),
    }
    means = json.dumps(tools[tool]())
    sys.stdout.write(f"\n{means}\n")


if __name__ == "__main__":
    main()
