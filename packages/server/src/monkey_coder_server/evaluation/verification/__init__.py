"""How far checks of answers tell right from wrong, on edits that models made."""
