"""The environment of a run: the PostgreSQL cluster, the processes of the services, and a proxy on each link."""
