"""What a feed measures about itself: metrics, histograms, gauges, spans.

The other packages report their numbers here; this one never calls them. A gauge reads its value through a function that the
runtime passes in. Imports `wire` and `system`.

Invariant: no label names a user, a board or a card, and nothing here runs once per event and client.
"""
