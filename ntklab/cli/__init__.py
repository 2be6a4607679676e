"""The command line, one module a sub-command. Only what a command needs is imported."""
