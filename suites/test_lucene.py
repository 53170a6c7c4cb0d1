"""See `harness.suites.test_lucene`."""

from harness.suites.test_lucene import java, lucene, test_lucene, test_pyserini

__all__ = ["java", "lucene", "test_lucene", "test_pyserini"]
