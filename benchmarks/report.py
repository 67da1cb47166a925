"""The page: sections with tables, written between markers, and its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.picture import Bar, draw

BEGIN = "<!-- made by make bench: begin -->"
END = "<!-- made by make bench: end -->"


@dataclass(frozen=True)
class Table:
    """``columns`` and ``rows`` of text; the first column is what the row is about."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""


@dataclass(frozen=True)
class Section:
    """One row of the benchmarks: its words, tables, and the bars that it gives to the picture."""

    title: str
    words: str
    tables: Sequence[Table]
    bars: Sequence[Bar] = ()
    notes: Sequence[str] = field(default_factory=tuple)


def seconds(value: float) -> str:
    """A time that people read at a glance."""
    if value >= 100:
        return f"{value:,.0f} s"
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1000:.3g} ms" if value >= 0.001 else f"{value * 1_000_000:.3g} µs"


def size(value: float) -> str:
    """Bytes for people."""
    for unit in ("bytes", "KiB", "MiB"):
        if value < 1024 or unit == "MiB":
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1024
    raise AssertionError


def times(theirs: float, ours: float) -> str:
    """How many times as much ``theirs`` is: above 1 we are ahead."""
    ratio = theirs / ours if ours else 0.0
    return f"{ratio:,.0f}×" if ratio >= 20 else f"{ratio:.1f}×" if ratio >= 2 else f"{ratio:.2f}×"


def page(sections: Sequence[Section], facts: Mapping[str, str], quick: bool, picture: str) -> str:
    """The Markdown between the markers."""
    lines = [f"![How many times as much each rival takes]({picture})", ""]
    if quick:
        lines += [
            "> These numbers are from a short run (`--quick`): smaller sizes, fewer rounds.",
            "",
        ]
    lines += ["| measured on | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in facts.items()]
    for section in sections:
        lines += ["", f"## {section.title}", "", section.words.strip()]
        for table in section.tables:
            lines += ["", *([f"**{table.title}**", ""] if table.title else []), *_markdown(table)]
        if section.notes:
            lines += ["", *(f"- {note}" for note in section.notes)]
    return "\n".join(lines) + "\n"


def _markdown(table: Table) -> list[str]:
    right = ["---"] + ["---:"] * (len(table.columns) - 1)
    rows = [table.columns, right, *table.rows]
    return ["| " + " | ".join(row) + " |" for row in rows]


def write(document: Path, sections: Sequence[Section], facts: Mapping[str, str], quick: bool) -> None:
    """Put the page into ``document`` between its markers, and the picture beside it."""
    image = document.with_suffix(".svg")
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} lacks the markers {BEGIN} and {END}")
    made = page(sections, facts, quick, image.name)
    document.write_text(f"{before}{BEGIN}\n{made}{END}{after}", encoding="utf-8")
    image.write_text(draw([bar for section in sections for bar in section.bars]), encoding="utf-8")
