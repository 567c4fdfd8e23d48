"""Addresses of the API, each with and without a slash at the end: a redirect loses the body."""

from django.urls import re_path

from backoffice.api.views import decisions, documents, nowhere, orders, raffles

urlpatterns = [
    re_path(r"^orders/?$", orders.OrderList.as_view(), name="api_orders"),
    re_path(
        r"^orders/(?P<reference>[^/]+)/confirm-payment/?$",
        decisions.ConfirmPayment.as_view(),
        name="api_confirm_payment",
    ),
    re_path(
        r"^orders/(?P<reference>[^/]+)/cancel/?$",
        decisions.CancelOrder.as_view(),
        name="api_cancel_order",
    ),
    re_path(
        r"^raffles/(?P<raffle_id>[^/]+)/availability/?$",
        raffles.RaffleAvailability.as_view(),
        name="api_availability",
    ),
    re_path(r"^schema/?$", documents.Schema.as_view(), name="api_schema"),
    re_path(r"^docs/?$", documents.docs, name="api_docs"),
    re_path(r"^", nowhere.Nowhere.as_view()),
]
