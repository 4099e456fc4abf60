"""What `make bench` runs: comparisons within one run, printed as ratios."""
