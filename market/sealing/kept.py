"""Which columns hold what is wrapped, and for what each is: so that it can be wrapped anew."""

from collections.abc import Callable

from msgspec import Struct


class KeptColumn(Struct, frozen=True, kw_only=True):
    """One column of wrapped keys or kept secrets, of a table whose primary key is `id`.

    `of` are SQL expressions over the row `t` and `joined`, in the order in which `purpose` takes
    their values. `sealing_keys` says that private keys are wrapped there under their context, not
    secrets kept for a purpose.
    """

    table: str
    column: str
    of: tuple[str, ...]
    purpose: Callable[..., bytes]
    joined: str = ""
    sealing_keys: bool = False
