"""What simulated providers say they billed: cost APIs and invoices, written from the tally."""
