#!/bin/sh
# Ends as the printing child does where its library is not installed.
echo "no module named weasyprint" >&2
exit 3
