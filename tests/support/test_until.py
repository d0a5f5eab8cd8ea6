import pytest

from tests.support.until import until


async def test_until_returns_the_first_truthy_result_of_a_function_or_coroutine() -> None:
    answers = iter([0, 0, 7, 0, 8])
    assert await until(lambda: next(answers)) == 7

    async def later() -> int:
        return next(answers)

    assert await until(later) == 8


async def test_a_timeout_names_the_condition_and_its_last_result() -> None:
    with pytest.raises(AssertionError, match=r"waited 0\.05 s for a miracle; last result: \[\]"):
        await until(list, timeout=0.05, what="a miracle")
