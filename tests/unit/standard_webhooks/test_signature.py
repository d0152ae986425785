from __future__ import annotations

import base64
import re

import pytest

from services.standard_webhooks.address import check_address
from services.standard_webhooks.signature import secret_bytes, signed_headers


def test_the_example_of_the_specification() -> None:
    key = secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330")


@pytest.mark.parametrize("length", [24, 64])
def test_a_secret_of_each_allowed_length(length: int) -> None:
    assert secret_bytes(f"whsec_{base64.b64encode(bytes(length)).decode()}") == bytes(length)


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        (base64.b64encode(b"topsecret" * 4).decode(), "does not begin with whsec_"),
        ("whsec_topsecret!", "has no base64 after whsec_"),
        ("whsec_tøpsecret", "has no base64 after whsec_"),
        (f"whsec_{base64.b64encode(bytes(23)).decode()}", "has 23 bytes"),
        (f"whsec_{base64.b64encode(bytes(65)).decode()}", "has 65 bytes"),
        ("whsec_", "has 0 bytes"),
    ],
)
def test_a_wrong_secret_is_refused_without_showing_it(secret: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)) as refused:
        secret_bytes(secret)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["https://a.example/hook?token=t", "http://127.0.0.1:9000/hook", "http://localhost/", "http://[::1]:9/x"]
)
def test_an_allowed_address(url: str) -> None:
    check_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/topsecret", "ftp://a.example/topsecret", "topsecret", "https://", "https:///topsecret",
        "https://a.example:99999/topsecret", "https://[::1/topsecret", "https://a.example/top secret",
        "http://127.0.0.1.example/topsecret", "https://a.example/x#topsecret", "http://127.0.0.1@a.example/topsecret",
        "https://a.example/topsecret\n",
    ],
)  # fmt: skip
def test_another_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"https://|fragment") as refused:
        check_address(url)
    assert "secret" not in str(refused.value)
