"""The durable journal: one SQLite file for each living process; see `docs/explanation/journal.md`."""
