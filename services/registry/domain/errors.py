"""Faults of the registry, by who must act.

RegistryFault
├── GraphDamaged             the people who run this deployment: stored objects do not give the stored root
├── ChangeMoved              nobody: somebody else took a step of the same change first, read it and try again
├── HistoryUnavailable       nobody: the router does not give the concerns of the past, try again
└── TokenRefused             the client
    ├── TokenRequestMalformed    its request has not the form of RFC 6749
    ├── ClientNotProven          its id or its secret is wrong; which of the two is never said
    ├── GrantUnsupported         it asks for a grant other than client_credentials
    └── ScopeNotGranted          it asks for a scope that it does not hold
"""


class RegistryFault(Exception):
    """Base of the faults that the registry raises itself."""


class GraphDamaged(RegistryFault):
    """The stored objects do not give the root of the commit of that version: nothing of them may be served."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


class ChangeMoved(RegistryFault):
    """The next number of the change was taken by another transaction; nothing of this one took effect."""


class HistoryUnavailable(RegistryFault):
    """The router is away, or gave no answer that can be read: what a change would have done is not known."""


class TokenRefused(RegistryFault):
    """No token is given."""


class TokenRequestMalformed(TokenRefused):
    """A parameter is missing, given twice, or the client proves itself in two ways at once."""


class ClientNotProven(TokenRefused):
    """The client is not known, or its secret is another."""


class GrantUnsupported(TokenRefused):
    """The grant type is not client_credentials."""


class ScopeNotGranted(TokenRefused):
    """The scope asked for goes beyond what the client holds."""
