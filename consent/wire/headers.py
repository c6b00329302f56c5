"""Values of response headers: `Set-Cookie`, `Vary`, `Cache-Control`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

from consent.core.cookie_declaration import CookieDeclaration, spell_name
from consent.core.gate import CookieVerdicts
from consent.wire.cookie import PLAIN_NAME, SECURE_NAME, SHARED_NAME

# Proxies refuse responses whose headers pass 4 to 8 kB in all.
EXPIRY_LIMIT_BYTES = 3072

# What a response that depends on the visitor's consent varies with.
CONSENT_VARY = ("Cookie", "Sec-GPC")

# Withdrawal must not delete the record of itself, and no gate keep it back, whatever a pattern matches.
OWN_COOKIE_NAMES = tuple(
    f"{name}{ending}" for name in (PLAIN_NAME, SECURE_NAME, SHARED_NAME) for ending in ("", "-gpc")
)
"""Names of the library's own cookies, whatever the scheme and however they are shared."""

# RFC 6265 section 4.1.1, and bytes beyond ASCII, which browsers send as well; nothing else can stand in a header.
_COOKIE_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z\x80-\xff]+")
_HOST = re.compile(r"[A-Za-z0-9._-]+")
_DIRECTIVE = re.compile(r'(?:[^,"]|"[^"]*"?)+')
_EXPIRED = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"


def format_cookie(name: str, value: str, *, max_age_seconds: int | None, is_secure: bool, domain: str = "") -> str:
    """Return the `Set-Cookie` value of a cookie of the library.

    Args:
        max_age_seconds: None for until the browser is closed.
        domain: Parent domain to share it with; empty for the host alone.
    """
    age = "" if max_age_seconds is None else f"; Max-Age={max_age_seconds}"
    domain_part = f"; Domain={domain}" if domain else ""
    secure = "; Secure" if is_secure else ""
    return f"{name}={value}{age}; Path=/{domain_part}; HttpOnly{secure}; SameSite=Lax"


def expire_cookies(verdicts: CookieVerdicts, *, sent: Iterable[str], host: str, is_secure: bool) -> list[str]:
    """Return `Set-Cookie` values that expire the unwanted cookies, at most 3 kB of them.

    A request does not say with which `Domain` and `Path` a cookie was set, so each is expired for
    the host alone and for every parent domain; the rest goes on a later response.

    Args:
        sent: Names of the cookies that the request carries.
        host: Host of the request, with or without a port.
    """
    values: list[str] = []
    left_bytes = EXPIRY_LIMIT_BYTES
    domains = ("", *_parent_domains(host))
    for name, path in _find_targets(verdicts, sent, host):
        for domain in domains[:1] if name.startswith("__Host-") else domains:
            value = _format_expiry(name, path=path, domain=domain, is_secure=is_secure)
            if len(value) <= left_bytes:
                values.append(value)
                left_bytes -= len(value)
    return values


def expire_rivals(name: str, *, host: str, is_secure: bool, is_shared: bool) -> list[str]:
    """Return `Set-Cookie` values that expire one name wherever the site itself does not set it.

    Args:
        is_shared: Whether the site sets it for a parent domain, and not for the host alone.
    """
    if name.startswith("__Host-"):
        return []
    domains = ("", *_parent_domains(host)) if is_shared else _parent_domains(host)
    return [_format_expiry(name, path="/", domain=domain, is_secure=is_secure) for domain in domains]


def is_within(host: str, domain: str) -> bool:
    """Whether a host can set and clear a cookie of a domain: its own, or a parent's. No domain stands for either."""
    bare = _without_port(host).lower()
    return not domain or bare == domain or bare.endswith(f".{domain}")


def compile_names(cookies: Iterable[CookieDeclaration]) -> re.Pattern[str] | None:
    """Return a pattern that finds any declared name in a `Cookie` header, however it is spaced; None for no names."""
    names = {spell_name(cookie.name, any_character="[^=;]") for cookie in cookies}
    return re.compile(rf"(?:^|;)\s*+(?:{'|'.join(sorted(names))})\s*+(?:[=;]|\Z)") if names else None


def join_fields(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return header values by lower-case name, repeats joined by commas: both mean the same (RFC 9110 section 5.3)."""
    fields: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        fields[key] = f"{fields[key]}, {value}" if key in fields else value
    return fields


def add_vary(current: str | None, names: Sequence[str]) -> str:
    """Return a `Vary` value with the names added, each once whatever its case."""
    if not current:
        return ", ".join(names)
    present = {part.strip().lower() for part in current.split(",")}
    if "*" in present:
        return current
    return ", ".join((current, *(name for name in names if name.lower() not in present)))


def make_private(current: str | None) -> str:
    """Return a `Cache-Control` value that keeps shared caches away.

    `public` and `s-maxage` go; `private` or `no-store` stay as they were. `private="field"`, which
    speaks of some fields alone, does not count.
    """
    if not current:
        return "private"
    kept = [part for part in _split_directives(current) if _name_of(part) not in ("public", "s-maxage")]
    names = {part.lower() for part in kept}
    return ", ".join(kept if names & {"private", "no-store"} else (*kept, "private"))


def is_public(current: str | None) -> bool:
    """Whether a `Cache-Control` value invites shared caches."""
    return any(_name_of(part) in ("public", "s-maxage") for part in _split_directives(current))


def _split_directives(value: str | None) -> list[str]:
    return [part.strip() for part in _DIRECTIVE.findall(value or "") if part.strip()]


def _name_of(directive: str) -> str:
    return directive.partition("=")[0].strip().lower()


def _find_targets(verdicts: CookieVerdicts, sent: Iterable[str], host: str) -> list[tuple[str, str]]:
    """Return name and path of each cookie to expire, those that the request carries first."""
    names = [name for name in dict.fromkeys(sent) if _COOKIE_NAME.fullmatch(name)]
    seen: dict[tuple[str, str], None] = {}
    unseen: dict[tuple[str, str], None] = {}
    for cookie in verdicts.unwanted:
        if not is_within(host, cookie.domain):
            continue
        pattern = re.compile(spell_name(cookie.name))
        for name in filter(pattern.fullmatch, names):
            seen[name, "/"] = None
            seen[name, cookie.path] = None
        # A cookie of another path does not come with this request, so an exact name is expired unseen.
        if cookie.path != "/" and not cookie.is_pattern:
            unseen[cookie.name, cookie.path] = None
    is_kept = re.compile(
        "|".join([*OWN_COOKIE_NAMES, *(spell_name(cookie.name) for cookie in verdicts.kept)])
    ).fullmatch
    return [target for target in dict.fromkeys((*seen, *unseen)) if not is_kept(target[0])]


def _without_port(host: str) -> str:
    return host.rpartition(":")[0] if re.search(r":\d+$", host) else host


def _parent_domains(host: str) -> list[str]:
    bare = _without_port(host)
    if _is_address(bare.strip("[]")) or not _HOST.fullmatch(bare):
        return []
    labels = bare.lower().split(".")
    return [".".join(labels[at:]) for at in range(len(labels) - 1)]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _format_expiry(name: str, *, path: str, domain: str, is_secure: bool) -> str:
    domain_part = f"; Domain={domain}" if domain else ""
    return f"{name}=; {_EXPIRED}; Path={path}{domain_part}{'; Secure' if is_secure else ''}"
