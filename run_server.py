"""Start the gateway the way a platform does: on `0.0.0.0:$PORT`, everything else from the environment."""

import sys

from monkey_coder_server.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
