"""Static files that are served compressed.

The build writes `name.br` and `name.gz` beside a file (web/compress.mjs), so that nothing is compressed while it is served. A file
without them is served as it is.
"""

import mimetypes
import os
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.http.accepted_encodings import accepted_encodings

_SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""By encoding, the best first."""


class CompressedFiles(StaticFiles):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, check_dir=False)
        self.config_checked = True  # where nothing was built there is no folder, and so no such file

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        accepted = accepted_encodings(Headers(scope=scope))
        for encoding, suffix in _SUFFIXES.items():
            other = Path(f"{os.fspath(full_path)}{suffix}")
            if encoding in accepted and other.exists():
                response = super().file_response(other, other.stat(), scope, status_code)
                response.headers["Content-Encoding"] = encoding
                response.headers["Content-Type"] = _media_type(full_path)
                break
        else:
            response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.add_vary_header("Accept-Encoding")
        return response


def _media_type(path: str | os.PathLike[str]) -> str:
    kind = mimetypes.guess_type(path)[0] or "text/plain"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
