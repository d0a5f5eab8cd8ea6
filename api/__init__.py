"""The REST API of the boards, with their changes as server-sent events."""
