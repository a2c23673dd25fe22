import pytest

from kern import plain


def test_one():
    for i in range(100):
        i += 1  # @test_one
    assert plain(50) is None


@pytest.mark.parametrize("n", [10, 20])
def test_two(n):
    for i in range(n):
        i += 1  # @test_two


class TestClass:
    def test_method(self):
        assert [i for i in range(10)]  # @test_method


def test_fails():
    assert 1 == 2  # @test_fails
