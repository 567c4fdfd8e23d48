"""The Graph API as the stand-in plays it: endpoints, and Meta's rules for what is sent."""
