"""The chaos run: services on a primary and a standby, under random but seeded faults; everything that clients received is checked.

`world` starts the processes and the proxies between them, `writers` write, `faults` inject faults, `clients` read as the protocol
page describes, and `checker` compares what they received with an audit of the tables. The checker shares no code with the
product, so that a bug in the product cannot hide itself.
"""
