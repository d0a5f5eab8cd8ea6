"""Faults: each starts, holds for a while and heals by itself. One file is one family; `registry` has them all."""
