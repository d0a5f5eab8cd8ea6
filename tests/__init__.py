"""The tests, and what they lean on in `support`."""
