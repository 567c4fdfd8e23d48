"""The draw as data: its models, methods and errors; `services.draws` carries it out."""
