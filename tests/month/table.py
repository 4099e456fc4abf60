"""The findings as text."""

from tests.month.books import Books


def table(books: Books) -> str:
    """Figures, then what was compared."""
    lines = [f"{name:36}{figure:>24}" for name, figure in books.figures.items()]
    lines.append("")
    for name, found in books.checks.items():
        lines.append(f"{name:36}{'equal' if not found else f'{len(found)} differ':>24}")
        lines += [f"    {each}" for each in found[:20]]
    return "\n".join(lines)
