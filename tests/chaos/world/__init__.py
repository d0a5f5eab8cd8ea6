"""Everything that a run takes place in: the PostgreSQL cluster, the services' processes, and a proxy on each way between them."""
