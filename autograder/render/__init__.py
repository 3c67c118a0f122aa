"""A report in the forms that people and programs read; none of them decides anything."""
