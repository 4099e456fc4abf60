"""What is kept of the price source is what the installed package says."""

from tools import prices


def test_kept_prices_are_those_of_the_installed_package() -> None:
    """Run `python -m tools.prices` where this fails."""
    assert prices.TARGET.read_bytes() == prices.document()
