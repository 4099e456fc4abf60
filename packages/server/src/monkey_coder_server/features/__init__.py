"""One folder a slice of the product."""
