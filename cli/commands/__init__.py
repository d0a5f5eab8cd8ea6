"""One file per command. Its docstring is the help text; what only that command needs is imported inside its function."""
