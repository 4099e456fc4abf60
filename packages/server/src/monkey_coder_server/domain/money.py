"""Money is an integer count of nano-dollars; never a float."""

NANO_PER_USD = 1_000_000_000
NANO_PER_CENT = 10_000_000
BASIS_POINTS = 10_000
TOKENS_PER_PRICE_UNIT = 1_000_000
