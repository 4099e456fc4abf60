"""Second factors: one-time codes, passkeys, recovery codes; and proofs for what asks for one anew."""
