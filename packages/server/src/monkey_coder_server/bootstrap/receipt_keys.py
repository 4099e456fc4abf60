"""Whether a gateway that starts signs receipts with a key that others of these books know."""

import logging

from monkey_coder_server.adapters.signing.ed25519 import KEY_FILE
from monkey_coder_server.bootstrap.books import Books

logger = logging.getLogger(__name__)


async def tell_of_unknown_key(books: Books) -> None:
    """Log an error when the newest receipt was signed with a key that is not in this `DATA_DIR`.

    The gateway serves all the same: a key that is lost for good must not keep it from that. Raises `Unavailable`.
    """
    used = await books.storage.statements.signed_by()
    if used is None or used in books.signer.public_keys():
        return
    logger.error(
        "receipts of these books are signed with the key %s, which is not in %s: they will be called forged, and those "
        "of this gateway (%s) by the others; stop it, copy %s there and start it again, or keep the old public key "
        "beside it as receipt-signing-key-old.pub",
        used,
        books.settings.data_dir,
        books.signer.key_id,
        KEY_FILE,
    )
