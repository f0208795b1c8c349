"""The campaign: every controller on every protocol, and the tables and figures made of it."""
