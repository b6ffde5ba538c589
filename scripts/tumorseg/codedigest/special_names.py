"""Names of Python and of packages that the digest of code treats specially."""

from typing import Final


def _name_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


FOR_PEOPLE_ONLY: Final = "FOR_PEOPLE_ONLY"
"""The digest leaves out a module that defines this constant, since no result depends on it. The value is the reason."""
MESSAGE: Final = "Message"
"""Name of the annotation of texts that only people read: `tumorseg.errors.Message`."""

PURE_CALLS: Final = _name_set("""
    bool bytes dict dict.fromkeys float frozenset int int.from_bytes len list max min object range round set slice
    sorted str sum tuple zip collections.namedtuple dataclasses.field dataclasses.fields datetime.timedelta enum.auto
    itertools.product logging.getLogger numpy.array numpy.dtype numpy.eye numpy.finfo numpy.float32 numpy.float64
    numpy.iinfo numpy.linspace operator.attrgetter operator.itemgetter pathlib.Path re.compile re.escape struct.Struct
    threading.Lock types.MappingProxyType typing.NewType typing.ParamSpec typing.TypeVar
""")
"""Calls without effect other than their value, which may run when a module is imported."""
PURE_DECORATORS: Final = _name_set("""
    classmethod property staticmethod contextlib.contextmanager dataclasses.dataclass functools.cache
    functools.cached_property functools.lru_cache functools.total_ordering functools.wraps torch.inference_mode
    torch.no_grad typing.overload typing.override typing.runtime_checkable
""")
"""Decorators without effects such as a registration."""
PURE_FUNCTIONS: Final = _name_set("""
    abs bool dict enumerate float format int isinstance len list map max min range repr reversed round set sorted str
    sum tuple type zip
""")
"""Built-in functions without side effects."""
PURE_METHODS: Final = _name_set("""
    as_posix capitalize casefold count format get items join keys lower lstrip partition relative_to removeprefix
    removesuffix replace rpartition rstrip split splitlines strip title upper values with_name with_suffix
""")
"""Methods without side effects on any object."""

MESSAGE_EXCEPTIONS: Final = _name_set("""
    ArithmeticError AssertionError FileNotFoundError LookupError MemoryError NotImplementedError PermissionError
    RuntimeError RuntimeWarning TimeoutError TypeError UserWarning ValueError
""")
"""Built-in exceptions whose arguments are only messages."""
LOGGERS: Final = _name_set("_logger logger logging")
LOG_METHODS: Final = _name_set("critical debug error exception info log warning")
PARSER_METHODS: Final = _name_set("""
    add_argument add_argument_group add_mutually_exclusive_group add_parser add_subparsers
""")
HELP_ARGUMENTS: Final = _name_set("description epilog help metavar title usage")
"""Arguments of `argparse` that only people read."""

INTROSPECTION_NAMES: Final = _name_set("""
    __import__ __name__ __spec__ dir eval exec globals importlib.import_module locals sys.modules typing.get_type_hints
    vars
""")
INTROSPECTION_MODULES: Final = _name_set("inspect pkgutil runpy")
INTROSPECTION_ATTRIBUTES: Final = _name_set("""
    __annotations__ __class__ __code__ __doc__ __globals__ __name__ __qualname__ __subclasses__ f_globals f_locals
""")
"""With these, code can read names and texts that its canonical form leaves out, or import modules by other means."""
