"""Writes a run's results to a folder."""

from __future__ import annotations

from pathlib import Path

import msgspec

from console.runreport.html import page
from console.runreport.parquet import pyarrow_or_none, write_parquet
from console.runreport.results import Results
from console.runreport.summary import summary_of

SUMMARY = "summary.json"
PAGE = "report.html"
NO_PARQUET = 'no Parquet files without pyarrow: pip install "sweepwire[parquet]"'


def write_results(folder: Path, results: Results) -> list[str]:
    """Writes summary.json, report.html and the Parquet files; what to tell the user of it.

    The folder is made if there is none; files of the same names are replaced. Without pyarrow
    the Parquet files are left out, and one of the lines says so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(summary_of(results)), indent=1)
    (folder / SUMMARY).write_bytes(text + b"\n")
    (folder / PAGE).write_text(page(results), "utf-8")
    said = [f"results: {folder}", f"page: {folder / PAGE}"]
    if pyarrow_or_none() is None:
        return [*said, NO_PARQUET]
    write_parquet(folder, results)
    return said
