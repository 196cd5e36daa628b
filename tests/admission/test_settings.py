"""Settings that name a URL."""

import pytest

from admission.world import ADMIN, MASTER, World, named

GOOD = [
    None,
    "",
    "https://llmos.example.com",
    "http://10.0.0.5:8080/x?y=1",
    "https://[2001:db8::1]/",
]
BAD = [
    "file:///etc/passwd",
    "gopher://example.com",
    "javascript:alert(1)",
    "//example.com",
    "example.com",
    "http://",
    "http://169.254.169.254/latest",
    "http://[fe80::1%25eth0]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://localhost",
    "http://LOCALHOST./",
    "http://x.localhost/",
    "http://metadata.google.internal/",
    "http://127.0.0.1",
    "http://127.1",
    "http://2130706433/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://0.0.0.0/",
    "http://224.0.0.1/",
    "http://user:secret@example.com/",
    "http://example.com:0/",
    "http://example.com:99999/",
    "http://exa\u200bmple.com/",
    "http://example.com\\@127.0.0.1/",
    "http://a b/",
    "http://[::1",
]


@pytest.mark.parametrize("field", ["value", "default"])
@pytest.mark.parametrize("user", [ADMIN, MASTER], ids=lambda each: each.name)
@pytest.mark.parametrize(("url", "code"), [(url, 0) for url in GOOD] + [(url, 422) for url in BAD])
def test_url(world: World, user, field, url, code):
    """A ``…-url`` is http(s) and leads to another machine, however the address is written."""
    setting = named("server-url", **{field: url})
    assert world.code(user, "CREATE", "settings", setting) == code
    assert world.code(user, "UPDATE", "settings", setting, named("server-url")) == code


@pytest.mark.parametrize("url", BAD)
def test_other_settings(world: World, url):
    """Other settings are free texts."""
    assert world.code(ADMIN, "CREATE", "settings", named("ui-banner", value=url)) == 0
