"""What a feed measures of itself: metrics, histograms, gauges of its present state, spans.

The other rooms count here; this one never calls them. It imports `wire` and `system`. A gauge reads its value through a
function that the runtime hands over.

Invariant: no label names a user, a board or a card, and nothing here runs once per event and client.
"""
