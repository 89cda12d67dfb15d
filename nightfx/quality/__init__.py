"""How good renders are: measured beside their plates and real pictures, as a table, JSON and a contact sheet."""
