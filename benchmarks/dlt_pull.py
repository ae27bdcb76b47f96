"""dlt's REST source reading the same Flowhub, into Parquet: ``dlt_pull.py BASE_URL REQUESTS.json FOLDER``.

Run by ``benchmarks/flowhub_pull.py`` in the rivals' environment, which knows nothing of Perennial. It prints
``{"seconds", "rows", "requests"}`` as its last line. Nested values stay in one column, as in landing.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
os.environ["NORMALIZE__LOADER_FILE_FORMAT"] = "parquet"

import dlt
from dlt.sources.rest_api import rest_api_source


def resources(requests: list[tuple[str, dict[str, str]]]) -> Iterator[dict[str, Any]]:
    """Make a resource of each path, paged where the pull paged."""
    seen: set[str] = set()
    for path, params in requests:
        if path in seen:
            continue
        seen.add(path)
        stream = "orders" if "/orders/" in path else path.strip("/").rpartition("/")[2]
        plain = {name: value for name, value in params.items() if name != "page"}
        paged = {"type": "page_number", "base_page": 1, "page_param": "page", "total_path": None}
        yield {
            "name": f"{stream}_{len(seen)}",
            "table_name": stream,
            "endpoint": {
                "path": path,
                "params": plain,
                "data_selector": "orders" if stream == "orders" else "data",
                "paginator": paged if "page" in params else "single_page",
            },
            "max_table_nesting": 0,
        }


def main() -> None:
    """Pull once."""
    base_url, requests, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    key = json.loads(os.environ["FLOWHUB_HEADERS"])
    source = rest_api_source(
        {
            "client": {"base_url": base_url, "headers": key},
            "resources": list(resources(json.loads(requests.read_text(encoding="utf-8")))),
        },
        max_table_nesting=0,
    )
    pipeline = dlt.pipeline(
        "flowhub",
        pipelines_dir=str(folder / "state"),
        destination=dlt.destinations.filesystem(bucket_url=str(folder / "files")),
        dataset_name="raw",
    )
    began = time.monotonic()
    pipeline.run(source)
    seconds = time.monotonic() - began
    counts = pipeline.last_trace.last_normalize_info.row_counts
    rows = sum(count for table, count in counts.items() if not table.startswith("_dlt"))
    print(json.dumps({"seconds": seconds, "rows": rows}))


if __name__ == "__main__":
    main()
