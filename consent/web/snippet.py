"""A service's own markup: its script snippet and its embedded frame."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from consent.core.declaration import Service
from consent.core.embed import Embed
from consent.core.policy import Policy
from consent.errors import ConfigError, order_by_likeness, quote_all

# Apart from the app's environment: a host's filters, globals and autoescape rules have no say in a provider's markup.
_environment = Environment(autoescape=True, undefined=StrictUndefined)

# The host of an address that something may be loaded from: with a scheme anywhere, without one where a value can begin.
_URL_HOST = re.compile(
    r"""(?:(?:https?|wss?)://|(?<=["'`=(\s,])//)(?:[^/"'`\s<>@]*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)""", re.IGNORECASE
)

_FRAME = _environment.from_string(
    '<iframe class="pvc-embed" src="{{ src }}" title="{{ title }}" width="{{ width }}" height="{{ height }}" loading="lazy"'
    ' referrerpolicy="strict-origin-when-cross-origin" allow="fullscreen{% if allow %}; {{ allow }}{% endif %}"></iframe>'
)


def compile_snippets(policy: Policy) -> dict[str, Template]:
    """Compile the snippet of every service, and try each with its parameters' examples.

    Raises:
        ConfigError: If a snippet has a mistake.
    """
    return {service.key: compile_snippet(service) for service in policy.services if service.snippet}


def render_snippet(service: Service, template: Template, values: Mapping[str, object], *, nonce: str) -> Markup:
    """Return a service's script markup.

    Raises:
        ConfigError: If a parameter is unknown, missing, or refused by its pattern, or leads to a host that the service does
            not declare.
    """
    markup = template.render(**_check_parameters(service, values), nonce=nonce)
    _check_hosts(service, markup)
    return Markup(markup)  # noqa: S704 - autoescaped above


def render_frame(embed: Embed, embed_id: str, *, title: str, width: int, height: int, site_host: str) -> Markup:
    """Return the live frame of an embed; its id was checked before.

    Args:
        site_host: Host name of the page that the frame is in, without a port.
    """
    src = _fill(embed, embed.url, embed_id).replace("{site_host}", quote(site_host, safe=""))
    return Markup(  # noqa: S704 - autoescaped above
        _FRAME.render(src=src, title=title, width=width, height=height, allow=embed.allow)
    )


def source_url(embed: Embed, embed_id: str) -> str:
    """Return the address of the content on the provider's own site."""
    return _fill(embed, embed.source_url, embed_id)


def _fill(embed: Embed, url: str, embed_id: str) -> str:
    return url.replace("{id}", quote(embed_id, safe="/" if embed.keeps_slashes else ""))


def compile_snippet(service: Service) -> Template:
    """Compile a snippet, and try it with its parameters' examples.

    Raises:
        ConfigError: If it has a mistake.
    """
    examples = {parameter.name: parameter.example for parameter in service.parameters}
    try:
        template = _environment.from_string(service.snippet)
        markup = template.render(**examples, nonce="")
    except Exception as error:  # a snippet is a program: whatever it raises is its mistake
        raise ConfigError(
            f"The snippet of service {service.key!r} has a mistake: {error}. Its variables are "
            f"{quote_all([*examples, 'nonce'])}.",
            key=service.key,
            value=service.snippet,
        ) from error
    # A site with a server of its own keeps the parameter, and its example, of the provider's.
    _check_hosts(service, markup, given=_URL_HOST.findall(" ".join(f" {each} //{each}" for each in examples.values())))
    return template


def _check_hosts(service: Service, markup: str, *, given: Collection[str] = ()) -> None:
    for host in _URL_HOST.findall(markup):
        if host not in given and not service.has_host(host.lower()):
            raise ConfigError(
                f"The snippet of service {service.key!r} loads from {host!r}, which is not among its hosts: "
                f"{quote_all(service.hosts)}. Add it to 'hosts': what is not declared is neither told to the visitor nor held back.",
                key=service.key,
                value=host,
            )


def _check_parameters(service: Service, values: Mapping[str, object]) -> dict[str, str]:
    known = {parameter.name: parameter for parameter in service.parameters}
    for name in values:
        if name not in known:
            raise ConfigError(
                f"Service {service.key!r} has no parameter {name!r}. Its parameters: "
                f"{quote_all(order_by_likeness(name, known))}.",
                key=service.key,
                value=name,
            )
    for name, parameter in known.items():
        if name in values and not re.fullmatch(parameter.pattern, str(values[name])):
            raise ConfigError(
                f"Parameter {name!r} of service {service.key!r} must match {parameter.pattern!r}, such as "
                f"{parameter.example!r}, got {str(values[name])!r}.",
                key=name,
                value=values[name],
            )
        if parameter.required and name not in values:
            raise ConfigError(
                f"Service {service.key!r} needs the parameter {name!r}, such as {name}={parameter.example!r}.", key=name
            )
    return {name: str(values[name]) if name in values else "" for name in known}
