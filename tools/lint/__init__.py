"""Own AST rules: one parse a file, one function a rule, a test for each."""
