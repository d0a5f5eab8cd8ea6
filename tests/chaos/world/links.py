"""The links between processes, each with a proxy."""

from tests.chaos.world.proxy import Proxy

WRITERS = "writers -> primary"
REPLICATION = "standby -> primary"


class Links:
    """Proxies by name, such as `feed-1 -> primary`; those to the database are retargeted after a failover."""

    def __init__(self) -> None:
        self.proxies: dict[str, Proxy] = {}

    async def add(self, name: str, target: int) -> Proxy:
        proxy = self.proxies[name] = Proxy(name, target)
        await proxy.start()
        return proxy

    def __getitem__(self, name: str) -> Proxy:
        return self.proxies[name]

    def to(self, end: str) -> list[Proxy]:
        """All proxies to an end, such as `primary`."""
        return [proxy for name, proxy in self.proxies.items() if name.endswith(f"-> {end}")]

    def retarget(self, end: str, target: int) -> None:
        """Point all proxies of an end to another port, and cut their connections."""
        for proxy in self.to(end):
            proxy.target = target
            proxy.cut()

    async def stop(self) -> None:
        for proxy in self.proxies.values():
            await proxy.stop()
