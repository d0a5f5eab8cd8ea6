"""The REST resources, one per file. Each file ends with its `ROUTES`, which `app` serves and OpenAPI describes.

It may import everything below it. Routes do not import each other; what they share is in `authentication`,
`board_view`, `cards`, `client_config`, and `dba`.

Invariant: every handler authenticates the request before it reads or writes anything, unless its operation is public.
"""
