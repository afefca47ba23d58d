"""The OpenAI format: bodies, replies, HTTP errors."""

from __future__ import annotations

import email.utils
import time

import orjson
import pytest
from dspy import lm15
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.lm import wire


def request(text: str = "Hi", **config: object) -> lm15.Request:
    return lm15.Request(
        model="endpoint:x",
        messages=(lm15.Message.user(text),),
        system="Be brief.",
        config=lm15.Config(**config),
    )


def reply_body(**changes: object) -> bytes:
    choice = {"message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
    return orjson.dumps({"id": "1", "model": "m", "choices": [choice | changes]})


def test_a_body_holds_the_model_the_messages_and_only_the_settings_that_were_given() -> None:
    assert wire.chat_body(request(max_tokens=9, seed=3), "m") == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
        "max_tokens": 9,
        "seed": 3,
    }


def test_extra_settings_win_over_the_requests() -> None:
    body = wire.chat_body(request(temperature=0.5), "m", extra={"temperature": 1, "min_p": 0.1})
    assert (body["temperature"], body["min_p"]) == (1, 0.1)


def test_an_image_becomes_a_data_uri() -> None:
    parts = (lm15.TextPart(text="See:"), lm15.ImagePart(media_type="image/png", data="QUJD"))
    asked = lm15.Request(model="x", messages=(lm15.Message(role="user", parts=parts),))
    content = wire.chat_body(asked, "m")["messages"][0]["content"]
    assert content[1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}


def test_a_part_that_no_such_server_takes_is_refused_before_it_is_sent() -> None:
    parts = (lm15.AudioPart(data="QUJD"),)
    asked = lm15.Request(model="x", messages=(lm15.Message(role="user", parts=parts),))
    with pytest.raises(lm15.UnsupportedFeatureError, match="audio"):
        wire.chat_body(asked, "m")


@pytest.mark.parametrize(
    ("finish", "read"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        (None, "stop"),
        ("eos", "stop"),
    ],
)
def test_a_finish_reason_is_read(finish: str | None, read: str) -> None:
    assert wire.read_reply(reply_body(finish_reason=finish), "m").finish_reason == read


def test_a_refusal_counts_as_blocked() -> None:
    message = {"role": "assistant", "content": None, "refusal": "I cannot."}
    response = wire.read_reply(reply_body(message=message), "m")
    assert (response.finish_reason, response.text) == ("content_filter", "I cannot.")


def test_hidden_reasoning_is_left_out() -> None:
    message = {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}
    assert wire.read_reply(reply_body(message=message), "m").text == "Yes."


@given(cut=st.integers(0, len(reply_body()) - 1))
def test_a_body_cut_anywhere_is_a_fault_that_may_be_tried_again(cut: int) -> None:
    with pytest.raises(lm15.TransportError):
        wire.read_reply(reply_body()[:cut], "m")


@pytest.mark.parametrize("raw", [b"[]", b"{}", b'{"choices": []}', b'{"choices": [{}]}', b"3"])
def test_json_that_is_no_completion_is_a_servers_error(raw: bytes) -> None:
    with pytest.raises(lm15.ServerError):
        wire.read_reply(raw, "m")


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, {}, lm15.AuthError),
        (403, {}, lm15.AuthError),
        (402, {}, lm15.BillingError),
        (429, {"code": "insufficient_quota"}, lm15.BillingError),
        (429, {"code": "rate_limit_exceeded"}, lm15.RateLimitError),
        (529, {}, lm15.RateLimitError),
        (404, {}, lm15.UnsupportedModelError),
        (400, {"code": "model_not_found"}, lm15.UnsupportedModelError),
        (400, {"message": "maximum context length is 8192"}, lm15.ContextLengthError),
        (400, {"message": "top_k is unknown"}, lm15.InvalidRequestError),
        (408, {}, lm15.TimeoutError),
        (504, {}, lm15.TimeoutError),
        (500, {}, lm15.ServerError),
        (503, {}, lm15.ServerError),
    ],
)
def test_each_status_has_its_error(
    status: int, error: dict[str, str], kind: type[Exception]
) -> None:
    assert type(wire.http_error(status, {}, orjson.dumps({"error": error}))) is kind


@pytest.mark.parametrize("count", [-1, True, 2**63, "7", None, 1e400])
def test_a_count_of_tokens_that_can_be_none_is_as_good_as_none(count: object) -> None:
    choice = {"message": {"content": "Hi"}, "finish_reason": "stop"}
    body = {"choices": [choice], "usage": {"prompt_tokens": count, "completion_tokens": 3}}
    usage = wire.read_reply(orjson.dumps(body), "m").usage
    assert (usage.input_tokens, usage.output_tokens) == (None, 3)


def test_an_error_page_that_is_no_json_is_quoted_briefly() -> None:
    error = wire.http_error(502, {}, b"<html>Bad gateway</html>" * 100)
    assert error.message.startswith("<html>Bad gateway")
    assert len(error.message) <= 500


def test_retry_after_is_read_as_seconds_milliseconds_or_a_date() -> None:
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert wire.retry_after_s({"retry-after": "2.5"}) == 2.5
    assert wire.retry_after_s({"retry-after-ms": "1500", "retry-after": "9"}) == 1.5
    assert wire.retry_after_s({"retry-after": date}) == pytest.approx(30, abs=2)
    assert wire.retry_after_s({}) is None


@given(value=st.text(max_size=40))
def test_retry_after_is_never_negative_whatever_a_server_sends(value: str) -> None:
    seconds = wire.retry_after_s({"retry-after": value})
    assert seconds is None or seconds >= 0
