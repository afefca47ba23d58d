"""Rows of cells in, a Markdown table out."""

from __future__ import annotations


def table_text(rows: list[list[str]]) -> str:
    """Rows as a Markdown table, the first as its head."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    if len(rows) > 1:
        lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)
