"""Information for other systems about the domain: events, representations and signed links."""
