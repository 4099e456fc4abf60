"""What the features need from outside, as Protocol classes."""
