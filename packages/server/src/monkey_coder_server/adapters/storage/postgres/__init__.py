"""PostgreSQL: the same statements as on SQLite, over psycopg 3 in threads of its own."""
