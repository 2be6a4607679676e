"""See the design notes in README.md."""
