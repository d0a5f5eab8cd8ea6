"""The models of requests and responses, and the OpenAPI document that is generated from them.

Names of a card's fields are the columns of its table, and names of the trigger log's fields are the columns of its
view. Names of the API's own objects are camelCase. It imports `http` and values of `feed` and `db`.

Invariant: every field of a request has a bound. Response models are documentation only: PostgreSQL or the handler makes
the JSON.
"""
