"""Ed25519 signature verification (RFC 8032, 5.1.7) in plain Python, so that users need no crypto library.

Verification only: nothing here is secret, so timing does not matter. Points are (X, Y, Z, T) in the
extended coordinates of the RFC's section 5.1.4.
"""

import hashlib

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_ONE = pow(2, (_P - 1) // 4, _P)

Point = tuple[int, int, int, int]
_IDENTITY: Point = (0, 1, 1, 0)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) over `message` was made with the key whose public half (32 bytes) is given."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key = _decompress(public_key)
    commitment = _decompress(signature[:32])
    response = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or response >= _ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    return _same(_multiply(response, _BASE), _add(commitment, _multiply(challenge, key)))


def _decompress(encoded: bytes) -> Point | None:
    """RFC 8032, 5.1.3; None for what encodes no point of the curve."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


def _recover_x(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if square == 0:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _SQRT_MINUS_ONE % _P
    if (x * x - square) % _P:
        return None
    return _P - x if x & 1 != sign else x


def _add(first: Point, second: Point) -> Point:
    a = (first[1] - first[0]) * (second[1] - second[0]) % _P
    b = (first[1] + first[0]) * (second[1] + second[0]) % _P
    c = 2 * first[3] * second[3] * _D % _P
    d = 2 * first[2] * second[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _multiply(scalar: int, point: Point) -> Point:
    total = _IDENTITY
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _same(first: Point, second: Point) -> bool:
    return not (
        (first[0] * second[2] - second[0] * first[2]) % _P or (first[1] * second[2] - second[1] * first[2]) % _P
    )


def _base_point() -> Point:
    y = 4 * pow(5, -1, _P) % _P
    x = _recover_x(y, 0)
    if x is None:  # pragma: no cover  # the curve's own constant
        raise ArithmeticError
    return (x, y, 1, x * y % _P)


_BASE = _base_point()
