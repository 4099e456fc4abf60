"""The stores: SQLAlchemy Core tables, one SQLite writer with group commit, and the ports kept in them."""
