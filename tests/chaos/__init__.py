"""The chaos run: real services on a real primary and standby, under random but seeded faults, and what every client saw is checked.

`world` starts the processes and the proxies between them, `writers` write, `faults` break things, `clients` read as the protocol
page says, and `checker` compares what they read with what the tables' own audit recorded. The checker shares no code with the
product: a mistake in the product must not hide itself.
"""
