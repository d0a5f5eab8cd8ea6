"""A problem with an input names a limited number of faults."""

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from api.http.problems import validation_problem


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def test_faults_are_limited_in_number_and_size() -> None:
    with pytest.raises(ValidationError) as found:
        _Strict.model_validate({f"{n}" + "x" * 1000: 1 for n in range(1000)})
    errors = validation_problem(found.value).members["errors"]
    assert len(errors) == 20
    assert all(len(error["pointer"]) == 200 for error in errors)
