"""What one model costs us and one account, by one row of one price book."""

from dataclasses import dataclass

from monkey_coder_server.domain import pricing
from monkey_coder_server.domain.pricing import PriceRow
from monkey_coder_server.domain.usage import Usage


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price row with the markup that applies. Amounts are nano-dollars."""

    row: PriceRow
    markup: int
    """Basis points."""
    book: str
    """The price book's id."""

    def bound(self, input_tokens: int, output_tokens: int) -> int:
        """The most a request within these counts can cost its account."""
        return pricing.upper_bound(self.row, input_tokens, output_tokens, markup_basis_points=self.markup)

    def price(self, usage: Usage) -> int:
        """What the account pays, after markup, rounded up once."""
        return pricing.price(self.row, usage, self.markup)

    def cost(self, usage: Usage) -> int:
        """What the provider charges us."""
        return pricing.cost(self.row, usage)

    def cost_and_price(self, usage: Usage) -> tuple[int, int]:
        """What the provider charges us, and what the account pays."""
        return pricing.cost_and_price(self.row, usage, self.markup)

    def saving(self, usage: Usage) -> int:
        """What the provider's prompt cache spared the account."""
        cached = usage.cache_read or usage.cache_write_5m or usage.cache_write_1h
        return pricing.cache_saving(self.row, usage, self.markup) if cached else 0

    def room(self, used: Usage, held: int, *, most: int) -> int:
        """The most output tokens, up to `most`, that may follow what was `used` already within what is held."""
        if self.price(used._replace(output=most)) <= held:
            return most
        low, high = 0, most
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.price(used._replace(output=middle)) <= held else (low, middle - 1)
        return low

    def affordable(self, budget: int, *, input_tokens: int, beside: int, most: int) -> int:
        """The largest token limit up to `most` whose bound fits the budget; 0 when none does.

        `beside` are output tokens that come on top of the limit.
        """
        low, high = 0, most
        while low < high:
            middle = (low + high + 1) // 2
            if self.bound(input_tokens, middle + beside) <= budget:
                low = middle
            else:
                high = middle - 1
        return low
