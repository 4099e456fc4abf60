"""Real exchanges foretold: what recorded requests really took at their providers, at today's prices.

They come in a fixed random order, each project an account of its own. Each is foretold, then learnt: an exchange never
helps to foretell itself, but a test suite's second run of a case is helped by the first. The weights of prompts were
fitted to these very recordings; what they miss of exchanges left out of the fit is what `python -m tools.calibrate`
prints.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from benchmarks.errors import print_header, print_row
from monkey_coder_server.adapters.prices.genai import load_price_book
from monkey_coder_server.bootstrap.supplies import PROVIDERS
from monkey_coder_server.domain import pricing
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.errors import PriceUnknown
from monkey_coder_server.domain.likeness import Likeness, shape_of
from monkey_coder_server.domain.pricing import PriceBook, PriceRow
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.foresight import Asked, Foresight, lesson_of
from tools.exchanges import Exchange, exchanges

SEED = 20_261_128
WINDOW, MOST = 1_000_000, 64_000
"""Of models that are no longer offered."""
TASK_TYPE = "chat"
"""What every request that comes in a foreign dialect counts as."""
AGAIN = "  of a file seen before"
ANEW = "  of a file not seen before"


def main() -> None:
    """Run and print the table."""
    order = [each for each in exchanges() if _whole(each)]
    Random(SEED).shuffle(order)
    cards = _cards(order)
    book = _book(cards)
    foresight, files = Foresight(), set[str]()
    prices, prompts, answers = defaultdict[str, list[float]](list), list[float](), list[float]()
    for each in order:
        card = cards[each.provider, each.model]
        row = _row(book, card)
        if row is None:
            continue
        account = each.source.partition(":")[0]
        most = each.request.sampling.max_tokens
        asked = Asked(
            TASK_TYPE, Likeness.of(account, shape_of(TASK_TYPE, each.request), most, each.request, each.size), each.size
        )
        expected = foresight.expect(asked, card, most_output=most or card.max_output_tokens).usage
        error = _off(_price(row, expected), _price(row, each.usage))
        prices["all"].append(error)
        prices[AGAIN if each.source in files else ANEW].append(error)
        prompts.append(_off(expected.input, each.usage.input))
        answers.append(_off(expected.output, each.usage.output))
        files.add(each.source)
        foresight.learn([lesson_of(asked, card, each.usage)])
    print_header("real exchanges: error of the expected price")
    for name in ("all", ANEW, AGAIN):
        print_row(name, prices[name])
    print_row("  of the prompt's tokens", prompts)
    print_row("  of the answer's tokens, thoughts included", answers)


def _whole(exchange: Exchange) -> bool:
    """Whether the provider counted both sides, and nothing but tokens was to be paid."""
    return bool(exchange.usage.input and exchange.usage.output and not exchange.size.server_tools)


def _cards(order: list[Exchange]) -> Mapping[tuple[str, str], ModelCard]:
    """The catalogue's cards, and plain ones for models it has no longer."""
    known = {(card.provider, card.model): card for provider in PROVIDERS for card in provider.cards}
    found = {}
    for each in order:
        plain = ModelCard(each.provider, each.model, each.model, WINDOW, MOST, frozenset(), 2)
        found[each.provider, each.model] = known.get((each.provider, each.model), plain)
    return found


def _book(cards: Mapping[tuple[str, str], ModelCard]) -> PriceBook:
    """Today's prices of these models."""
    recorded = defaultdict[str, list[ModelCard]](list)
    for card in cards.values():
        recorded[card.provider].append(card)
    providers = [replace(each, cards=tuple(recorded[each.name])) for each in PROVIDERS]
    return load_price_book(providers, datetime.now(UTC))


def _row(book: PriceBook, card: ModelCard) -> PriceRow | None:
    try:
        return book.row(card.provider, card.model)
    except PriceUnknown:
        return None


def _price(row: PriceRow, usage: Usage) -> int:
    return pricing.price(row, usage, 0)


def _off(expected: int, true: int) -> float:
    return abs(expected - true) / true
