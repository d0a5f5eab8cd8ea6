import pytest

from tests.support.until import until


async def test_gives_the_first_truthy_answer_of_either_kind() -> None:
    answers = iter([0, 0, 7, 0, 8])
    assert await until(lambda: next(answers)) == 7

    async def later() -> int:
        return next(answers)

    assert await until(later) == 8


async def test_says_what_it_waited_for_and_what_it_saw() -> None:
    with pytest.raises(AssertionError, match=r"waited 0\.05 s for a miracle; last answer: \[\]"):
        await until(list, timeout=0.05, what="a miracle")
