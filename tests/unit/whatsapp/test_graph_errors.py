"""Tests of the reactions to errors of the Graph API."""

from datetime import timedelta

import pytest

from shared.whatsapp.graph_errors import (
    JUDGEMENT_BY_CODE,
    JUDGEMENT_BY_SUBCODE,
    FailureReaction,
    judge_send_error,
)
from tests.cases import walk_cases

R = FailureReaction

TABLE = {
    R.PAUSE: (
        "0 3 10 33 102 190 200 210 299 368 131005 131031 131037 131042 131045"
        " 133000 133005 133006 133008 133009 133010 133015 133016"
    ),
    R.RETRY: "1 2 131016 131053 132069 133004",
    R.RETRY_NUMBER: "4 80007 80008 130429 131048 131057 2494100",
    R.RETRY_PAIR: "131056",
    R.UNKNOWN: "131000",
    R.OUTSIDE_WINDOW: "131047",
    R.FAIL: (
        "100 206 130403 130472 130497 131008 131009 131020 131021 131026 131030 131035 131036"
        " 131041 131049 131050 131051 131052 131055 131059 131060 131062 131063 131064 131201"
        " 131202 132000 132001 132005 132007 132012 132015 132016 132068 134011 134100 134101"
        " 134102 135000 137000"
    ),
}
CASES = [(int(code), reaction) for reaction, codes in TABLE.items() for code in codes.split()]


@walk_cases(("code", "reaction"), CASES)
def test_a_known_code_decides_alone(code: int, reaction: FailureReaction) -> None:
    for status in (None, 400, 401, 403, 500, 503):
        assert judge_send_error(code=code, http_status=status).reaction is reaction


def test_the_table_here_and_the_table_there_name_the_same_codes() -> None:
    assert set(JUDGEMENT_BY_CODE) == {code for code, _ in CASES} - {200, 210, 299}


@pytest.mark.parametrize(
    ("code", "subcode", "reaction"),
    [
        (100, 33, R.PAUSE),
        (100, 2494010, R.FAIL),
        (100, None, R.FAIL),
        *((190, subcode, R.PAUSE) for subcode in (458, 459, 460, 463, 464, 467, 492, 1)),
        (102, 463, R.PAUSE),
        (10, 33, R.PAUSE),
        (200, 1, R.PAUSE),
        (131005, 33, R.PAUSE),
        (130429, 2494055, R.RETRY_NUMBER),
        (131009, 33, R.FAIL),
        (None, 33, R.FAIL),
    ],
)
def test_a_subcode_tells_a_hidden_object_from_a_bad_parameter(
    code: int | None, subcode: int | None, reaction: FailureReaction
) -> None:
    assert judge_send_error(code=code, subcode=subcode, http_status=400).reaction is reaction


@pytest.mark.parametrize(("code", "subcode"), sorted(JUDGEMENT_BY_SUBCODE))
def test_every_subcode_says_what_it_means_and_what_to_do(code: int, subcode: int) -> None:
    judgement = judge_send_error(code=code, subcode=subcode, http_status=400)

    assert judgement.alarm
    assert "META_" in judgement.explanation
    assert len(judgement.explanation) <= 300


def test_a_hidden_object_that_meta_calls_passing_is_tried_again() -> None:
    judgement = judge_send_error(code=100, subcode=33, http_status=400, transient=True)

    assert judgement.reaction is R.RETRY


@walk_cases("code", sorted(JUDGEMENT_BY_CODE))
def test_every_code_says_in_a_sentence_what_it_means(code: int) -> None:
    words = judge_send_error(code=code, http_status=None).explanation

    assert words[0].isupper()
    assert words.endswith(".")
    assert 20 < len(words) <= 300  # maximum length of `BusinessNumber.pause_reason`


@pytest.mark.parametrize(
    ("status", "reaction"),
    [
        (None, R.UNKNOWN),
        (200, R.UNKNOWN),
        (302, R.PAUSE),
        (400, R.FAIL),
        (401, R.PAUSE),
        (403, R.PAUSE),
        (404, R.PAUSE),
        (407, R.PAUSE),
        (408, R.UNKNOWN),
        (413, R.FAIL),
        (429, R.RETRY_NUMBER),
        (500, R.UNKNOWN),
        (502, R.UNKNOWN),
        (503, R.UNKNOWN),
        (504, R.UNKNOWN),
    ],
)
def test_without_a_code_the_http_status_decides(
    status: int | None, reaction: FailureReaction
) -> None:
    assert judge_send_error(code=None, http_status=status).reaction is reaction


@pytest.mark.parametrize(
    ("status", "reaction"),
    [
        (None, R.FAIL),
        (400, R.FAIL),
        (401, R.PAUSE),
        (403, R.PAUSE),
        (429, R.RETRY_NUMBER),
        (500, R.UNKNOWN),
    ],
)
def test_so_it_does_for_a_code_nobody_knows(status: int | None, reaction: FailureReaction) -> None:
    judgement = judge_send_error(code=987654, http_status=status)

    assert judgement.reaction is reaction
    if reaction in (R.FAIL, R.PAUSE):
        assert "987654" in judgement.explanation


def test_what_meta_calls_passing_is_tried_again() -> None:
    for code in (190, 100, 987654):
        judgement = judge_send_error(code=code, http_status=400, transient=True)
        assert judgement.reaction is R.RETRY
        assert not judgement.alarm


def test_passing_does_not_make_an_uncertain_send_a_certain_one() -> None:
    assert judge_send_error(code=131000, http_status=500, transient=True).reaction is R.UNKNOWN
    assert (
        judge_send_error(code=131047, http_status=400, transient=True).reaction is R.OUTSIDE_WINDOW
    )
    assert judge_send_error(code=None, http_status=500, transient=True).reaction is R.UNKNOWN


def test_a_throttle_wins_over_a_refusal() -> None:
    assert judge_send_error(code=100, http_status=429).reaction is R.RETRY_NUMBER
    assert judge_send_error(code=131056, http_status=429).reaction is R.RETRY_PAIR


def test_reports_of_spam_slow_the_number_down_for_an_hour_and_tell_people() -> None:
    judgement = judge_send_error(code=131048, http_status=400)

    assert judgement.wait == timedelta(hours=1)
    assert judgement.alarm


def test_people_are_told_of_what_only_people_can_cure() -> None:
    for code in JUDGEMENT_BY_CODE:
        judgement = judge_send_error(code=code, http_status=None)
        if judgement.reaction is R.PAUSE:
            assert judgement.alarm
    assert judge_send_error(code=100, http_status=400).alarm
    assert not judge_send_error(code=131026, http_status=400).alarm
    assert not judge_send_error(code=131056, http_status=400).alarm
