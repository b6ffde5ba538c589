"""Names of Python and of packages about which the digest of code knows something."""

from typing import Final


def _name_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


FOR_PEOPLE_ONLY: Final = "FOR_PEOPLE_ONLY"
"""A module that defines this name only talks to people; the value is the reason. Nothing in it counts for a result."""
MESSAGE: Final = "Message"
"""The annotation of texts that only people read; see `tumorseg.errors.Message`."""

PURE_CALLS: Final = _name_set("""
    bool bytes dict dict.fromkeys float frozenset int int.from_bytes len list max min object range round set slice
    sorted str sum tuple zip collections.namedtuple dataclasses.field dataclasses.fields datetime.timedelta enum.auto
    itertools.product logging.getLogger numpy.array numpy.dtype numpy.eye numpy.finfo numpy.float32 numpy.float64
    numpy.iinfo numpy.linspace operator.attrgetter operator.itemgetter pathlib.Path re.compile re.escape struct.Struct
    threading.Lock types.MappingProxyType typing.NewType typing.ParamSpec typing.TypeVar
""")
"""Calls that a module may make when it is imported without doing more than to compute a value."""
PURE_DECORATORS: Final = _name_set("""
    classmethod property staticmethod contextlib.contextmanager dataclasses.dataclass functools.cache
    functools.cached_property functools.lru_cache functools.total_ordering functools.wraps torch.inference_mode
    torch.no_grad typing.overload typing.override typing.runtime_checkable
""")
"""Decorators that register nothing."""
PURE_FUNCTIONS: Final = _name_set("""
    abs bool dict enumerate float format int isinstance len list map max min range repr reversed round set sorted str
    sum tuple type zip
""")
"""Functions of Python that change nothing."""
PURE_METHODS: Final = _name_set("""
    as_posix capitalize casefold count format get items join keys lower lstrip partition relative_to removeprefix
    removesuffix replace rpartition rstrip split splitlines strip title upper values with_name with_suffix
""")
"""Methods that change nothing, whatever they are called on."""

MESSAGE_EXCEPTIONS: Final = _name_set("""
    ArithmeticError AssertionError FileNotFoundError LookupError MemoryError NotImplementedError PermissionError
    RuntimeError RuntimeWarning TimeoutError TypeError UserWarning ValueError
""")
"""Of Python's own exceptions those whose arguments are words alone."""
LOGGERS: Final = _name_set("_logger logger logging")
LOG_METHODS: Final = _name_set("critical debug error exception info log warning")
PARSER_METHODS: Final = _name_set("""
    add_argument add_argument_group add_mutually_exclusive_group add_parser add_subparsers
""")
HELP_ARGUMENTS: Final = _name_set("description epilog help metavar title usage")
"""What `argparse` shows to people."""

INTROSPECTION_NAMES: Final = _name_set("""
    __import__ __name__ __spec__ dir eval exec globals importlib.import_module locals sys.modules typing.get_type_hints
    vars
""")
INTROSPECTION_MODULES: Final = _name_set("inspect pkgutil runpy")
INTROSPECTION_ATTRIBUTES: Final = _name_set("""
    __annotations__ __class__ __code__ __doc__ __globals__ __name__ __qualname__ __subclasses__ f_globals f_locals
""")
"""By these code sees names and texts that its form leaves out, or reaches what no import names."""
