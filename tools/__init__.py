"""What keeps the repository in order: own lints, the demo, generated references."""
