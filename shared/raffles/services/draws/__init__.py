"""The draw of a raffle: rules, receipt chain, sealing, values, results and winners."""
