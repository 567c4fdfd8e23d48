"""Tables of results in Markdown format."""

from collections.abc import Sequence


def print_table(title: str, *, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; the first column is text, the others are numbers."""
    print(f"\n{title}\n", format_table(columns=columns, rows=rows), "", sep="\n", flush=True)


def format_table(
    *, columns: Sequence[str], rows: Sequence[Sequence[object]], text_columns: int = 1
) -> str:
    """Return a table; the first `text_columns` columns are text, the others are numbers."""
    cells = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(3, *(len(row[at]) for row in cells)) for at in range(len(columns))]
    lines = [_format_line(row, widths=widths, text_columns=text_columns) for row in cells]
    rule = [
        "-" * width if at < text_columns else "-" * (width - 1) + ":"
        for at, width in enumerate(widths)
    ]
    lines.insert(1, _format_line(rule, widths=widths, text_columns=text_columns))
    return "\n".join(lines)


def _format_line(cells: Sequence[str], *, widths: Sequence[int], text_columns: int) -> str:
    padded = [
        cell.ljust(width) if at < text_columns else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "| " + " | ".join(padded) + " |"
