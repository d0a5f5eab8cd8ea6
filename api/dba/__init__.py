"""What the DBA's page reads: the trigger log as it grows, the gauges of the last day, and the columns of the charts.

It imports `schemas`, `http`, and the database functions.

Invariant: DBAs are never a load on the database. Their reads are few at a time, bounded in time, and cannot write.
"""
