"""Model of n8n to test workflows without it: the rules for workflow files and their execution."""
