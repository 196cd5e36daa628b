"""Kubernetes' functions: values as its documentation gives them."""

import pytest

from apimachinery.cel.evaluation import evaluate

LABEL = "a lowercase RFC 1123 label"


def table(*rows):
    return pytest.mark.parametrize(("source", "value"), rows, ids=lambda each: str(each)[:60])


@table(
    ("[1, 2, 2].isSorted()", True),
    ("['b', 'a'].isSorted()", False),
    ("[].isSorted()", True),
    ("[1, 3].sum()", 4),
    ("[1.5, 2.5].sum()", 4.0),
    ("[duration('1h'), duration('30m')].sum() == duration('90m')", True),
    ("[timestamp('2026-01-01T00:00:00Z')].max().getFullYear()", 2026),
    ("object.spec.containers.map(c, c.name).max()", "b"),
    ("[3, 1].min()", 1),
    ("[1, 2].map(x, string(x)).min()", "1"),
    ("[true, false].min()", False),
    ("[1, 2, 1].indexOf(1)", 0),
    ("[1, 2, 1].lastIndexOf(1)", 2),
    ("[1].indexOf(5)", -1),
    ("['a'].lastIndexOf('b')", -1),
    ("'abcb'.indexOf('b')", 1),
    ("'abcb'.lastIndexOf('b')", 3),
    ("dyn([1, true]).indexOf(true)", 1),
    ("object.spec.nothing.sum()", "EvaluationError: no such key: nothing"),
    ("dyn([1, 'a']).sum()", "EvaluationError: no such overload"),
    ("dyn(['a']).sum()", "EvaluationError: no such overload"),
    ("[9223372036854775807, 1].sum()", "EvaluationError: integer overflow"),
    ("[1].filter(x, x > 1).max()", "EvaluationError: max called on empty list"),
)
def test_lists(source, value):
    """Lists can be summed, ordered and searched."""
    assert evaluate(source) == value


@table(
    ("'abc 123'.find('[0-9]+')", "123"),
    ("'abc'.find('[0-9]+')", ""),
    ("'abc'.find('(b)(c)')", "bc"),
    ("'1, 2, 3'.findAll('[0-9]').map(x, int(x)).sum()", 6),
    ("'1, 2, 3'.findAll('[0-9]', 2)", ["1", "2"]),
    ("'1, 2'.findAll('[0-9]', -1)", ["1", "2"]),
    ("'a]b'.find('[]]')", "]"),
    ("'a(b'.find('\\\\(b')", "(b"),
    ("'xbc'.find('(?P<n>b)c')", "bc"),
    ("'xBc'.find('(?i)b(?:c)')", "Bc"),
    ("'x'.find('(')", "EvaluationError: Illegal regex: '('"),
    ("'abc'.matches('^a.c$')", True),
    ("'x'.matches(object.metadata.name)", True),
)
def test_regular_expressions(source, value):
    """``find`` gives the whole match, whatever groups there are."""
    assert evaluate(source) == value


@table(
    ("url('https://example.com:80/').getHost()", "example.com:80"),
    ("url('https://example.com:80/').getHostname()", "example.com"),
    ("url('https://example.com:80/').getPort()", "80"),
    ("url('https://[::1]:80/').getHostname()", "::1"),
    ("url('https://example.com/').getPort()", ""),
    ("url('https://example.com/').getScheme()", "https"),
    ("url('https://example.com/path with spaces/').getEscapedPath()", "/path%20with%20spaces/"),
    ("url('https://example.com/a%2Fb').getEscapedPath()", "/a%2Fb"),
    ("url('https://e.com/?k=a&k=b&c=').getQuery()", {"k": ["a", "b"], "c": [""]}),
    ("url('/relative').getHost()", ""),
    ("isURL('https://example.com')", True),
    ("isURL('/path')", True),
    ("isURL('../x')", False),
    ("isURL('https://a b.com')", False),
    ("isURL('https://a.com:port')", False),
    ("isURL('https://a.com/%zz')", False),
    ("url('https://a') == url('https://a')", True),
)
def test_urls(source, value):
    """URLs are absolute, and come apart."""
    assert evaluate(source) == value


@table(
    ("ip('192.168.0.1').family()", 4),
    ("ip('::1').isLoopback()", True),
    ("ip('0.0.0.0').isUnspecified()", True),
    ("ip('224.0.0.1').isLinkLocalMulticast()", True),
    ("ip('ff02::1').isLinkLocalMulticast()", True),
    ("ip('ff05::1').isLinkLocalMulticast()", False),
    ("ip('169.254.1.1').isLinkLocalUnicast()", True),
    ("ip('10.0.0.1').isGlobalUnicast()", True),
    ("ip('255.255.255.255').isGlobalUnicast()", False),
    ("ip('::0001') == ip('::1')", True),
    ("string(ip('192.168.0.1'))", "192.168.0.1"),
    ("ip.isCanonical('::1')", True),
    ("ip.isCanonical('::0001')", False),
    ("isIP('::ffff:1.2.3.4')", False),
    ("isIP('fe80::1%eth0')", False),
    ("isIP('1.2.3')", False),
    ("cidr('192.168.0.0/24').containsIP('192.168.0.5')", True),
    ("cidr('192.168.0.0/24').containsIP(ip('192.168.1.5'))", False),
    ("cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", True),
    ("cidr('10.0.0.0/8').containsCIDR(cidr('::/0'))", False),
    ("cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')", True),
    ("cidr('10.1.2.3/8').ip() == ip('10.1.2.3')", True),
    ("cidr('10.1.2.3/8').prefixLength()", 8),
    ("isCIDR('10.0.0.0/33')", False),
    ("isCIDR('10.0.0.0')", False),
    ("isCIDR('10.0.0.0/255.0.0.0')", False),
)
def test_addresses(source, value):
    """Addresses and networks."""
    assert evaluate(source) == value


@table(
    ("quantity('1Gi').isGreaterThan(quantity('500Mi'))", True),
    ("quantity('50k') == quantity('50000')", True),
    ("quantity('150Mi').compareTo(quantity('200Mi'))", -1),
    ("quantity('50k').add(quantity('20')).compareTo(quantity('50020'))", 0),
    ("quantity('50k').sub(20).asInteger()", 49980),
    ("quantity('1').isLessThan(quantity('2'))", True),
    ("quantity('-1').sign()", -1),
    ("quantity('0').sign()", 0),
    ("quantity('1500m').isInteger()", False),
    ("quantity('1500m').asApproximateFloat()", 1.5),
    ("quantity('1500m').asInteger()", "EvaluationError: cannot convert value to integer"),
    ("isQuantity('1.3G')", True),
    ("isQuantity('200K')", False),
)
def test_quantities(source, value):
    """Amounts of resources, exact."""
    assert evaluate(source) == value


@table(
    ("semver('1.2.3').isLessThan(semver('1.10.0'))", True),
    ("semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))", True),
    ("semver('1.0.0-rc.2').compareTo(semver('1.0.0-rc.10'))", -1),
    ("semver('1.0.0-1').isLessThan(semver('1.0.0-a'))", True),
    ("semver('1.0.0+x') == semver('1.0.0+y')", True),
    ("semver('3.2.1').major() + semver('3.2.1').minor() + semver('3.2.1').patch()", 6),
    ("semver('v1.01', true).compareTo(semver('1.1.0'))", 0),
    ("isSemver('v1.0')", False),
    ("isSemver('v1.0', true)", True),
    ("isSemver('1.0.0-')", False),
    ("semver('x')", "EvaluationError: Invalid semver: 'x'"),
)
def test_versions(source, value):
    """Semantic versions in their order."""
    assert evaluate(source) == value


@table(
    ("!format.dns1123Label().validate('my-name').hasValue()", True),
    ("format.dns1123Label().validate('A').value()[0].startsWith('" + LABEL + "')", True),
    ("format.named('uuid').hasValue()", True),
    ("format.named('nope').hasValue()", False),
    ("format.named('date').value().validate('2026-01-01').hasValue()", False),
    ("format.dns1123LabelPrefix().validate('abc-').hasValue()", False),
    ("format.dns1123Label().validate('abc-').hasValue()", True),
    (
        "format.dns1123Label().validate('abc').value()",
        "EvaluationError: optional.none() dereference",
    ),
)
def test_formats(source, value):
    """Named formats say what is wrong with a text."""
    assert evaluate(source) == value


@table(
    ("authorizer.group('').resource('pods').namespace('a').check('get').allowed()", True),
    ("authorizer.group('').resource('pods').check('list').allowed()", False),
    (
        (
            "authorizer.group('g').resource('r').subresource('s').namespace('n').name('x')"
            ".check('get').reason()"
        ),
        "bob g x n r s get",
    ),
    ("authorizer.path('/healthz').check('get').reason()", "bob /healthz get"),
    ("authorizer.requestResource.check('get').reason()", "bob apps deployments get"),
    (
        "authorizer.serviceAccount('n', 'x').group('').resource('r').check('get').reason()",
        "system:serviceaccount:n:x  r get",
    ),
    ("authorizer.path('/x').check('get').errored()", False),
    ("authorizer.path('/x').check('get').error()", ""),
)
def test_authorizer(source, value):
    """May the author, or somebody else, do this?"""
    assert evaluate(source) == value


@table(
    ("{'a': 1}.transformMap(k, v, v + 1)", {"a": 2}),
    ("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, k)", {"b": "b"}),
    ("{'a': 1}.transformMapEntry(k, v, {v: k})", {1: "a"}),
    (
        "{'a': 1, 'b': 1}.transformMapEntry(k, v, {v: k})",
        "EvaluationError: insert failed: key 1 already exists",
    ),
    ("[5, 6].transformList(i, v, i * v)", [0, 6]),
    ("object.metadata.labels.all(k, v, v.size() > 2)", True),
    ("[1, 2].exists(i, v, i == v)", False),
    ("sets.contains([1, 2], [1])", True),
    ("sets.intersects([1], [2])", False),
    ("'%s is %d'.format(['x', 3])", "x is 3"),
    ("'a,b'.split(',').join('-').upperAscii()", "A-B"),
    ("object.?spec.?nope.orValue(4)", 4),
    ("object.metadata.labels[?'app'].optMap(v, v + '!').orValue('')", "web!"),
    ("object.spec.replicas == 3.0 && object.spec.ratio < 1", True),
)
def test_extensions(source, value):
    """What CEL's own extensions add, in Kubernetes' choice."""
    assert evaluate(source) == value


@pytest.mark.parametrize(
    "source", ["cel.bind(a, 1, a)", "math.greatest(1, 2)", "base64.encode(b'x')", "[1].flatten()"]
)
def test_other_extensions(source):
    """What Kubernetes does not have does not compile, so that policies can move."""
    assert evaluate(source).startswith("CompileError: ERROR: <input>:1:")
