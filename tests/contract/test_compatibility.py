"""The page on compatibility says what is so."""

from contract.compatibility import PAGE, document, resources


def test_the_page_is_current():
    """Kinds and deviations are those of today: run ``contract.compatibility`` otherwise."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == document()
    assert "`notebooks` (nb)" in page


def test_no_kind_is_served_twice():
    """A group version has every resource once."""
    names = [(each.group, each.version, each.plural) for each in resources()]
    assert len(names) == len(set(names))
    assert ("", "v1", "namespaces") in names
    assert ("ml.llmos.ai", "v1", "notebooks") in names
