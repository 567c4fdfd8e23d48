"""What the gateway does by itself: answer, send, fetch pictures, let holds run out."""
