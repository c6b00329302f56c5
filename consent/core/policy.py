"""The policy: everything the site declares, validated when it is built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from consent.core.declaration import NECESSARY, Purpose, Service, ServiceKind, default_purposes
from consent.core.declared_value import check_url
from consent.core.document import Document
from consent.core.lifetime import MONTHS_LIMIT
from consent.core.policy_version import digest_policy, fingerprint_purpose, fingerprint_service
from consent.errors import ConfigError, UnknownKeyError, order_by_likeness, quote_all

# Services that measure or advertise, whatever a site calls them: never strictly necessary
# (ePrivacy Directive art. 5(3), WP29 04/2012; requirement L18).
_NEVER_NECESSARY_HOSTS = (
    "google-analytics.com",
    "googletagmanager.com",
    "doubleclick.net",
    "googlesyndication.com",
    "googleadservices.com",
    "facebook.net",
    "facebook.com",
    "clarity.ms",
    "bat.bing.com",
    "hotjar.com",
    "analytics.tiktok.com",
    "ads-twitter.com",
    "snap.licdn.com",
    "criteo.com",
    "plausible.io",
    "mixpanel.com",
    "segment.com",
    "amplitude.com",
)
_NEVER_NECESSARY_KEYS = frozenset(
    {"google-analytics", "google-tag-manager", "matomo", "plausible", "meta-pixel"},
)
_NEVER_NECESSARY_KINDS = frozenset(
    {
        ServiceKind.ANALYTICS,
        ServiceKind.RECORDING,
        ServiceKind.ADVERTISING,
        ServiceKind.TAG_MANAGER,
        ServiceKind.CRM,
        ServiceKind.TESTING,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Declare who asks, why, and with which services. Immutable.

    Raises:
        ConfigError: If anything in it is malformed, contradictory or unlawful under opt-in.
    """

    controller: str
    """Name of the legal person who decides on the processing (GDPR art. 4(7))."""

    purposes: tuple[Purpose, ...] = field(default_factory=default_purposes)
    services: tuple[Service, ...] = ()
    documents: tuple[Document, ...] = ()
    """The texts that visitors are asked to note, in the order they are listed."""

    accept_months: int | None = None
    """Calendar months that a choice with at least one grant holds, 1 to 13; None for what suits the visitor's place."""

    refuse_months: int | None = None
    """Calendar months that a choice without any grant holds, 1 to 13; None for what suits the visitor's place."""

    policy_url: str = ""
    """Address of the site's own privacy policy; empty for none."""

    version: str = field(init=False, default="")
    """Digest of everything material, 16 hexadecimal digits."""

    optional_purposes: tuple[Purpose, ...] = field(init=False, default=())
    """The purposes a visitor decides on: all but `necessary`."""

    fingerprints: Mapping[str, bytes] = field(init=False, default_factory=dict)
    """3-byte fingerprint by key, of every purpose and service a visitor decides on."""

    keys_by_fingerprint: Mapping[bytes, str] = field(init=False, default_factory=dict)
    purposes_by_key: Mapping[str, Purpose] = field(init=False, default_factory=dict)
    services_by_key: Mapping[str, Service] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        _set = object.__setattr__
        # A `Markup` would keep its safe mark through to the templates.
        _set(self, "controller", str(self.controller) if isinstance(self.controller, str) else self.controller)
        _set(self, "purposes", tuple(self.purposes))
        _set(self, "services", tuple(self.services))
        _set(self, "documents", tuple(self.documents))
        _check_parts(self)
        _check_head(self)
        _check_keys(self)
        _set(self, "purposes_by_key", MappingProxyType({purpose.key: purpose for purpose in self.purposes}))
        _set(self, "services_by_key", MappingProxyType({service.key: service for service in self.services}))
        for service in self.services:
            _check_service(service, self.purposes_by_key)
        _set(self, "optional_purposes", tuple(purpose for purpose in self.purposes if purpose.key != NECESSARY))
        _set(self, "version", digest_policy(self.controller, self.purposes, self.services, self.documents))
        _set(self, "fingerprints", MappingProxyType(_fingerprint_all(self)))
        _set(self, "keys_by_fingerprint", MappingProxyType(_invert(self.fingerprints)))

    @property
    def is_asking(self) -> bool:
        """Whether there is anything to ask: any purpose beyond `necessary`."""
        return bool(self.optional_purposes)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every purpose key and service key."""
        return (*self.purposes_by_key, *self.services_by_key)

    def check_key(self, key: str, *, where: str = "") -> None:
        """Refuse a key that is not declared.

        Raises:
            UnknownKeyError: With the declared keys, the closest first.
        """
        if not isinstance(key, str) or (key not in self.purposes_by_key and key not in self.services_by_key):
            raise UnknownKeyError(key, allowed=self.keys, where=where)

    def services_of(self, purpose_key: str) -> tuple[Service, ...]:
        """Return the services listed under a purpose: each once, under its first optional purpose."""
        return tuple(service for service in self.services if _listed_under(service) == purpose_key)

    def optional_purposes_of(self, service: Service) -> tuple[str, ...]:
        """Return the purposes of a service that a visitor decides on."""
        return tuple(key for key in service.purposes if key != NECESSARY)


def _listed_under(service: Service) -> str:
    return next((key for key in service.purposes if key != NECESSARY), NECESSARY)


def _check_parts(policy: Policy) -> None:
    for name, kind in (("purposes", Purpose), ("services", Service), ("documents", Document)):
        for part in getattr(policy, name):
            if not isinstance(part, kind):
                advice = " For a service of the catalogue, write consent.catalogue.load_service('key')."
                raise ConfigError(
                    f"{name!r} of a Policy must hold {kind.__name__} objects, got {part!r}."
                    f"{advice if kind is Service else ''}",
                    key=name,
                    value=part,
                )
    if not isinstance(policy.policy_url, str):
        raise ConfigError(
            f"'policy_url' must be a text, got {policy.policy_url!r}.", key="policy_url", value=policy.policy_url
        )


def _check_head(policy: Policy) -> None:
    if not isinstance(policy.controller, str) or not policy.controller.strip():
        raise ConfigError(
            "'controller' is empty. Set CONSENT_CONTROLLER to the name of the company or person who runs the site: "
            "a banner must say who asks.",
            key="controller",
            value=policy.controller,
        )
    for key in ("accept_months", "refuse_months"):
        months = getattr(policy, key)
        if months is not None and (type(months) is not int or not 1 <= months <= MONTHS_LIMIT):
            raise ConfigError(
                f"{key!r} must be a whole number between 1 and {MONTHS_LIMIT}, got {months!r}. "
                "Browsers cap cookies at 400 days.",
                key=key,
                value=months,
            )
    if policy.policy_url:
        check_url(policy.policy_url, where="'policy_url'")


def _check_keys(policy: Policy) -> None:
    keys = [*(purpose.key for purpose in policy.purposes), *(service.key for service in policy.services)]
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise ConfigError(
            f"Key {twice[0]!r} is declared twice. Purposes and services share one set of keys; rename one of the two, or leave one out.",
            key=twice[0],
            value=twice,
        )
    documents = [document.key for document in policy.documents]
    if len(set(documents)) < len(documents):
        raise ConfigError(
            f"A document is declared twice: {quote_all(documents)}. Give each its own key; a revision of one is the same "
            "Document with another 'version'.",
            key="documents",
            value=documents,
        )
    if NECESSARY not in (purpose.key for purpose in policy.purposes):
        raise ConfigError(
            f"The policy has no purpose {NECESSARY!r}. Add Purpose('necessary'): it is what stays on without consent.",
            key="purposes",
            value=keys,
        )


def _check_service(service: Service, purposes: Mapping[str, Purpose]) -> None:
    for key in service.purposes:
        if key not in purposes:
            raise ConfigError(
                f"Service {service.key!r} names purpose {key!r}, which the policy does not declare. "
                f"Declared purposes, the closest first: {quote_all(order_by_likeness(key, purposes))}.",
                key=service.key,
                value=key,
            )
    if NECESSARY in service.purposes:
        _check_necessary(service)


def _check_necessary(service: Service) -> None:
    others = [key for key in service.purposes if key != NECESSARY]
    if others:
        raise ConfigError(
            f"Service {service.key!r} is filed under 'necessary' and under {quote_all(others)}. What is necessary "
            "needs no consent, so it cannot serve anything else; declare two services or drop 'necessary' (L18).",
            key=service.key,
            value=service.purposes,
        )
    words = [service.justification] if isinstance(service.justification, str) else service.justification.values()
    if not any(text.strip() for text in words):
        raise ConfigError(
            f"Service {service.key!r} is filed under 'necessary' without a justification. Give 'justification': why the "
            "visitor cannot get what they asked for without it (L18).",
            key=service.key,
            value=service.purposes,
        )
    tracker = _tracker_in(service)
    if tracker:
        raise ConfigError(
            f"Service {service.key!r} is filed under 'necessary', but {tracker!r} measures or advertises, which is not "
            "strictly necessary (ePrivacy Directive art. 5(3), L18). File it under 'analytics' or 'marketing'.",
            key=service.key,
            value=tracker,
        )


def _tracker_in(service: Service) -> str:
    if service.key in _NEVER_NECESSARY_KEYS or service.kind in _NEVER_NECESSARY_KINDS:
        return service.key
    return next(
        (host for host in service.hosts if any(_is_within(host, never) for never in _NEVER_NECESSARY_HOSTS)), ""
    )


def _is_within(host: str, parent: str) -> bool:
    bare = host.removeprefix("*.")
    return bare == parent or bare.endswith("." + parent)


def _fingerprint_all(policy: Policy) -> dict[str, bytes]:
    found = {purpose.key: fingerprint_purpose(purpose) for purpose in policy.optional_purposes}
    for service in policy.services:
        if policy.optional_purposes_of(service):
            found[service.key] = fingerprint_service(service, policy.purposes_by_key)
    return found


def _invert(fingerprints: Mapping[str, bytes]) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for key, fingerprint in fingerprints.items():
        if fingerprint in found:
            raise ConfigError(
                f"{key!r} and {found[fingerprint]!r} happen to have the same 24-bit fingerprint. "
                f"Raise 'revision' of {key!r} by one.",
                key=key,
                value=fingerprint.hex(),
            )
        found[fingerprint] = key
    return found
