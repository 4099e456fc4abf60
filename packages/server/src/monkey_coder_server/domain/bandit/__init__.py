"""Which arm is how good at a task of this kind: what is believed, what is learnt, and what the text adds."""
