"""What can be told of an answer without running it: checks of an answer against what was asked."""
