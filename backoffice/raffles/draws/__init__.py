"""Pages of a raffle's draw: rules, sealing, values, results and winners."""
