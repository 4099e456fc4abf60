"""Everything that touches a socket, a file, a database or a vendor library."""
