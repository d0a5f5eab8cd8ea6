"""The tests, with shared helpers in `support`."""
