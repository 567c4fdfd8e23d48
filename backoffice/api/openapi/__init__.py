"""The OpenAPI document: settings, schema, hooks, webhooks and examples."""
