"""The command line: what is done by hand, and the services started. A command is a file of its noun and a line in boardcast.py."""
