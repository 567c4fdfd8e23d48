"""Labels of the sources of orders: the links and ads by which buyers came."""

from collections.abc import Mapping
from typing import Final

from backoffice.ui import display
from shared.core.enums import OrderSourceKind
from shared.raffles.order_sources import OrderSource

SOURCE_KIND_LABELS: Final[Mapping[OrderSourceKind, str]] = {
    OrderSourceKind.LINK: "Link",
    OrderSourceKind.AD: "Ad",
    OrderSourceKind.POST: "Post",
}


def describe_source(source: OrderSource | None) -> str:
    """Return a source as a label such as "Link: poster"; empty if it is not known.

    An ad or post without a headline is named by its id.
    """
    if source is None:
        return ""
    label, name = SOURCE_KIND_LABELS[source.kind], source.name or source.id
    return f"{label}: {display.isolate_text(name)}" if name else label
