"""`monkey-server admin reconcile`: wires the books, the invoice and the comparison."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from monkey_coder_server.adapters.invoices.anthropic_costs import AnthropicCosts
from monkey_coder_server.adapters.invoices.csv_file import CsvInvoice
from monkey_coder_server.adapters.invoices.openai_costs import OpenAICosts
from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.bootstrap.daily import TELLS_COSTS
from monkey_coder_server.bootstrap.supplies import PROVIDERS
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.invoice_names import canonical_names
from monkey_coder_server.features.billing import reconciling
from monkey_coder_server.ports.invoices import IN_ANSWERS, InvoiceSource
from monkey_coder_server.settings import Settings

SHOWN = 40


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command was told. No file, and not `from_api`: compare with what answers said they cost."""

    provider: str
    first: date
    last: date
    file: Path | None = None
    from_api: bool = False
    correct: bool = False


async def run(settings: Settings, wish: Wish) -> dict[str, Any]:
    """Compare, keep the result, and return it as a document. Raises `GatewayError`."""
    cards = [card for provider in PROVIDERS if provider.name == wish.provider for card in provider.offers]
    if not cards:
        message = f"There is no provider {wish.provider!r}; there are {', '.join(each.name for each in PROVIDERS)}."
        raise InvalidRequest(message)
    if wish.first > wish.last:
        raise InvalidRequest("--from must not lie after --to.")
    source, words = _source(settings, wish)
    async with open_books(settings) as books:
        means = reconciling.Means(books.storage.costs, canonical_names(cards), books.clock.now(), books.ids.new)
        asked = reconciling.Asked(wish.provider, wish.first, wish.last, words, wish.correct)
        outcome = await reconciling.run(means, source, asked)
        action = "costs.correct" if wish.correct else "costs.compare"
        await books.note(action, wish.provider, f"{wish.first} to {wish.last}, {words}")
    return outcome.document()


def lines(document: dict[str, Any]) -> list[str]:
    """The document for a reader at a terminal; the last line is for the alert."""
    head = f"{document['provider']} {document['from']} to {document['to']}, compared with {document['source']}"
    sums = (
        f"booked {document['booked_usd']} USD, invoiced {document['invoiced_usd']} USD, "
        f"rounding {document['rounding_usd']} USD, {document['matched']} matched, {document['corrected']} corrected"
    )
    found = document["findings"]
    shown = [
        f"{each['kind']:22} {each['subject']:44} {each['booked_usd']:>14} {each['invoiced_usd'] or '-':>14}  "
        f"{each['detail']}"
        for each in found[:SHOWN]
    ]
    rest = [f"… and {len(found) - SHOWN} more; --json has all"] if len(found) > SHOWN else []
    verdict = "sound" if document["sound"] else "NOT RECONCILED"
    last = f"{verdict}: {len(found)} findings, {document['unexplained_usd']} USD unexplained"
    return [head, sums, *shown, *rest, last]


def _source(settings: Settings, wish: Wish) -> tuple[InvoiceSource | None, str]:
    if wish.file is not None:
        return CsvInvoice(wish.file), f"file {wish.file.name}"
    if not wish.from_api:
        if wish.provider not in TELLS_COSTS:
            message = f"Answers of {wish.provider} do not say what they cost; give --file or --from-api."
            raise InvalidRequest(message)
        return None, IN_ANSWERS
    given = settings.providers[wish.provider]
    provider = next(each for each in PROVIDERS if each.name == wish.provider)
    base_url = given.base_url or provider.base_url
    if wish.provider not in {"openai", "anthropic"}:
        message = f"{wish.provider} has no cost API; download its invoice as CSV and give it with --file."
        raise InvalidRequest(message)
    if given.admin_key is None:
        message = f"{wish.provider.upper()}_ADMIN_KEY is not set; the cost API opens to admin keys only."
        raise InvalidRequest(message)
    make = OpenAICosts if wish.provider == "openai" else AnthropicCosts
    return make(base_url, given.admin_key.reveal()), "cost API"
