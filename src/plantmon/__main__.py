"""This module runs plantmon with `python -m plantmon`."""

from plantmon.cli import main

if __name__ == "__main__":
    main()
