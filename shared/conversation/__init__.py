"""Where raffles and WhatsApp meet: what a message means and what buyers are told."""
