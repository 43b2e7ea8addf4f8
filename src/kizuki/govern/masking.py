"""What stands in the place of a value that may not be seen."""


class Masked:
    """The one masked cell: false, equal only to itself, shown as 「非表示」 wherever it is printed."""

    __slots__ = ()

    def __str__(self) -> str:
        return "非表示"

    __repr__ = __str__

    def __bool__(self) -> bool:
        return False


MASKED = Masked()
