"""Secrets and personal data are found by pattern and masked; what only looks so is not."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.dataset.scan import Family, findings, masked, tally

# Put together here, so that no scanner of this repository takes them for real ones.
KEY = "AKIA" + "Q3EGRIZ7WS2LKPOB"
HOLDS = [
    ("aws_access_key", KEY),
    ("github_token", "ghp_" + "a1B2c3D4e5" * 4),
    ("gitlab_token", "glpat-" + "a1B2c3D4e5" * 2),
    ("hugging_face_token", "hf_" + "aBcDeFgHiJ" * 4),
    ("google_api_key", "AIza" + "a1B2c3D4e5" * 3 + "abcde"),
    ("openai_key", "sk-" + "proj-" + "q8Rz7Kp2Vw9Lm3Xt5Nb1"),
    ("slack_token", "xoxb-" + "1234567890-abc"),
    ("stripe_key", "sk_" + "live_" + "a1B2c3D4e5" * 3),
    ("json_web_token", "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0NTY3.dBjftJeZ4CVP"),
    ("private_key", "-----BEGIN " + "PRIVATE KEY-----\n" + "MIIE" * 9 + "\n-----END A-----"),
    ("url_password", "postgres://reader:" + "tr0ub4dor@db.internal/x"),
    ("assigned_secret", 'api_key = "' + "q8Rz7Kp2Vw9Lm3Xt5Nb1" + '"'),
    ("email", "mira.holm@station-seven.org"),
    ("phone", "+47 22 85 50 31"),
    ("phone", "(212) 736-5000"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("payment_card", "4539 1488 0343 6467"),
    ("us_social_security_number", "536-22-8726"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), HOLDS)
def test_each_kind_is_found_in_a_sentence(kind: str, text: str) -> None:
    found = findings(f"It said: {text} and so on.")
    assert [finding.kind for finding in found] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        'token="MY_API_TOKEN"',
        'api_key = "<your-api-key-here-please>"',
        'password = os.environ["PASSWORD_OF_THE_DATABASE"]',
        "AKIAIOSFODNN7EXAMPLE",
        "git clone git@github.com:owner/name.git",
        "write to someone@example.com or noreply@station.org",
        "http://localhost:8080/path",
        "postgres://user:password@localhost/db",
        "555-555-5555",
        "the year 2024-05-12, 1013.25 hPa, version 1.2.3.4",
        "4111-1111",
        "timestamp 1748368364395721128",
        "x = [1234567890123456, 0.5]",
        "DE89 3704 0044 0532 0130 01",
    ],
)
def test_what_only_looks_like_it_is_not_found(text: str) -> None:
    assert findings(text) == []


def test_masking_keeps_length_and_lines() -> None:
    text = f"# Access\n\nkey {KEY}\nmail mira@station.org\n"
    both = masked(text, frozenset[Family]({"secrets", "personal_data"}))
    assert len(both) == len(text)
    assert both.splitlines()[2] == "key " + "*" * 20
    assert both.splitlines()[3] == "mail ****@*******.***"


def test_only_the_families_asked_for_are_masked() -> None:
    text = f"{KEY} mira@station.org"
    assert masked(text, frozenset[Family]({"secrets"})).endswith(" mira@station.org")


@given(
    st.lists(
        st.sampled_from([text for _, text in HOLDS])
        | st.text(alphabet=string.ascii_letters + " \n.,", max_size=20),
        max_size=8,
    )
)
def test_nothing_is_left_to_find_after_masking(parts: list[str]) -> None:
    both = frozenset[Family]({"secrets", "personal_data"})
    assert findings(masked(" ; ".join(parts), both)) == []


def test_findings_are_counted_by_family_and_kind() -> None:
    found = findings(f"{KEY}, a@station.org, b@station.org")
    assert tally(found) == {"personal_data": {"email": 2}, "secrets": {"aws_access_key": 1}}
