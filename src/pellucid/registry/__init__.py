"""What is declared once: names for classes, options as fields of a dataclass, and the one check of every option.

A layer, loss, optimizer, schedule or callback is a dataclass whose fields are its options::

    @register
    @dataclass
    class Huber(Loss):
        delta: float = option(1.0, above=0, help="Error above which the loss is linear.")

Its constructor, ``config()``, ``repr``, the keys that a TOML file may have, the command's help and every message
about a wrong value derive from that. ``register`` adds it to the table of its family, by its class name or the name
given; the table finds new files in its family's folder by itself.
"""

from pellucid.registry.calls import arguments_of, explain_call, explain_calls, validate_call
from pellucid.registry.configurable import (
    Configurable,
    SetOnceMapping,
    checked_names,
    flags_of,
    name_of,
    options_of,
    plain,
    required_options,
    takes_others,
)
from pellucid.registry.options import NO_LIMITS, Limits, check_option, option, parts_of, type_in_words
from pellucid.registry.table import Registry, module_attributes, register
