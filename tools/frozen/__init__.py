"""What the code of an earlier schema revision says to the database, kept so that it goes on being understood."""
