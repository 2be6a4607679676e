"""One tree of errors. Every message says what is wrong, what was given, and what to do about it."""


class NtkLabError(Exception):
    """Base of every error that a user can cause or must read."""


class SpecError(NtkLabError, ValueError):
    """A request is malformed: an unknown layer, a width of 0, a learning rate that is not a number."""


class NoRuleError(NtkLabError):
    """A layer has no infinite-width rule where it stands; its network still has kernels of finite width."""


class TrustError(NtkLabError):
    """Code would have to run that nobody has allowed to run, or that is not what was allowed."""


class ModelError(NtkLabError):
    """The user's own network failed in its own code, or is not what it must be."""


class DataError(NtkLabError, ValueError):
    """A data set cannot be read or does not fit the request."""


class FileError(NtkLabError, OSError):
    """A file cannot be read or written."""


class MemoryBudgetError(NtkLabError, MemoryError):
    """The work does not fit the memory budget, whatever the tile size."""


class DeviceError(NtkLabError, RuntimeError):
    """The device asked for is not there or ran out of memory."""


class NumericalError(NtkLabError, ArithmeticError):
    """A computation met NaN, infinity or a matrix outside its domain."""
