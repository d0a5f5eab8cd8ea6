"""Faults: each one starts, lasts for a while and is undone. Each file is one family; `registry` lists all."""
