"""Dialogs, each in its own module, imported when it is opened."""
