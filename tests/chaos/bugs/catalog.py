"""All seeded bugs, by name."""

from tests.chaos.bugs.bug import Bug
from tests.chaos.bugs.encoding import ENCODING
from tests.chaos.bugs.reading import READING
from tests.chaos.bugs.rights import RIGHTS

BUGS: dict[str, Bug] = {bug.name: bug for bug in (*ENCODING, *READING, *RIGHTS)}
