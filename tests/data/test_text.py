import numpy as np
import pytest

from adamcore.data.text import count_words, most_frequent_words, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one<br /><br />two", "one  two"),
        ("ONE<BR>two<br/>", "one two "),
        ("<i>Alien</i> <em>and</em><hr>", " alien   and  "),
        ("I <3 it, <sigh> 2 < 3 > 1", "i <3 it, <sigh> 2 < 3 > 1"),
    ],
)
def test_plain(text, expected):
    assert plain(text) == expected


def test_counts_are_those_of_the_plain_text():
    counts = count_words(["br br <br /> Don't STOP, stop_it stop 7 42", ""], ["stop", "br", "don", "42", "stop_it"])
    np.testing.assert_array_equal(counts.toarray(), [[2, 2, 1, 1, 1], [0] * 5])
    assert counts.dtype == np.uint16
    assert counts.has_sorted_indices


def test_one_letter_is_no_word():
    assert most_frequent_words(["a I x is is"], 9) == ["is"]


def test_ties_in_order_of_letters():
    assert most_frequent_words(["dd cc bb aa", "cc dd"], 3) == ["cc", "dd", "aa"]


def test_more_than_fits():
    with pytest.raises(ValueError, match="70,000 times; uint16 holds 65,535"):
        count_words(["film " * 70_000], ["film"])
