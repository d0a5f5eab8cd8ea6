from cli.connect import embedded_url, read_settings
from cli.output import Json, print_result


def database(*, json: Json = False) -> None:
    """Print the URL of the embedded PostgreSQL.

    While `boardcast up` runs, this opens a shell on it: psql "$(boardcast database)"
    """
    url = embedded_url(read_settings())
    print_result(url, json=json, url=url)
