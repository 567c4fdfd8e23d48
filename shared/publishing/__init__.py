"""What other systems are told about the domain: events, representations and signed links."""
