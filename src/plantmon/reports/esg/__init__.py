"""This package writes the annual tables: an `Annual` as a page, a PDF, a workbook, CSV, JSON and a terminal's table."""
