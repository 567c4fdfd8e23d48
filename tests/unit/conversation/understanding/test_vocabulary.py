"""Tests of the patterns of the vocabulary, which are compiled when a text first tries them."""

import re

from shared.conversation.understanding.vocabulary import load_vocabulary


def test_every_pattern_is_an_expression_that_needs_a_word() -> None:
    by_first_word = load_vocabulary().phrases._by_first_word
    expressions = {each.expression for found in by_first_word.values() for each in found}

    assert len(expressions) > 2_000
    assert not [each for each in expressions if re.compile(each).match("")]
