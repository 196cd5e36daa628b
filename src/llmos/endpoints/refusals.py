"""What is said to bytes that are no request: a Status, ready to be sent; then comes the end."""

import orjson


def _refusal(code: int, phrase: str, reason: str) -> bytes:
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": phrase,
        "reason": reason,
        "code": code,
    }
    body = orjson.dumps(status)
    head = (
        f"HTTP/1.1 {code} {phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


BAD_REQUEST = _refusal(400, "Bad Request", "BadRequest")
HEAD_TOO_LARGE = _refusal(431, "Request Header Fields Too Large", "BadRequest")
TOO_SLOW = _refusal(408, "Request Timeout", "Timeout")
