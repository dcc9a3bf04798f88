"""QUIC packets for make.py, with the standard library alone: AES-128-GCM in small, Initial packets, Retry, Google's hellos.

The packets of RFC 9001 appendix A come out of this byte for byte (run this file to see it).
"""
import hashlib, hmac, struct

V1, V2, DRAFT_29 = 1, 0x6B3343CF, 0xFF00001D
SALTS = {V1: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", V2: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
         DRAFT_29: "afbfec289993d24c9e9786f19c6111e04390a899"}


# ---------------------------------------------------------------------------------------------------- AES-128-GCM
def _xtime(a):
    return (a << 1 ^ (0x1B if a & 0x80 else 0)) & 0xFF


def _sbox():
    box, p, q = [0] * 256, 1, 1
    while True:
        p ^= _xtime(p)
        for shift in (1, 2, 4):
            q ^= q << shift
        q &= 0xFF
        if q & 0x80:
            q ^= 9
        box[p] = (q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)) & 0xFF ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return box


SBOX = _sbox()


def aes(key):
    """The block cipher of FIPS 197 with a key of 16 bytes."""
    words, rcon = [list(key[i:i + 4]) for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        word = list(words[i - 1])
        if i % 4 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = _xtime(rcon)
        words.append([a ^ b for a, b in zip(words[i - 4], word)])
    keys = [sum(words[i:i + 4], []) for i in range(0, 44, 4)]

    def block(data):
        state = [a ^ b for a, b in zip(data, keys[0])]
        for number in range(1, 11):
            state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if number < 10:
                mixed = []
                for at in range(0, 16, 4):
                    column = state[at:at + 4]
                    every = column[0] ^ column[1] ^ column[2] ^ column[3]
                    mixed += [column[i] ^ every ^ _xtime(column[i] ^ column[(i + 1) % 4]) for i in range(4)]
                state = mixed
            state = [a ^ b for a, b in zip(state, keys[number])]
        return bytes(state)
    return block


def gcm(key, nonce, plain, also):
    """What SP 800-38D makes of it: the sealed bytes, then the tag."""
    block = aes(key)
    h = int.from_bytes(block(bytes(16)), "big")

    def times(x):
        product, v = 0, h
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                product ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        return product
    stream = b"".join(block(nonce + (n + 2).to_bytes(4, "big")) for n in range((len(plain) + 15) // 16))
    sealed = bytes(a ^ b for a, b in zip(plain, stream))
    padded = lambda data: data + bytes(-len(data) % 16)
    text, sum_ = padded(also) + padded(sealed) + struct.pack(">QQ", len(also) * 8, len(sealed) * 8), 0
    for at in range(0, len(text), 16):
        sum_ = times(sum_ ^ int.from_bytes(text[at:at + 16], "big"))
    tag = bytes(a ^ b for a, b in zip(sum_.to_bytes(16, "big"), block(nonce + b"\0\0\0\1")))
    return sealed + tag


# ---------------------------------------------------------------------------------------------------- QUIC
def varint(n):
    return bytes([n]) if n < 64 else struct.pack(">H", 0x4000 | n) if n < 16384 else struct.pack(">I", 0x80000000 | n)


def crypto(offset, data):
    return b"\x06" + varint(offset) + varint(len(data)) + data


def _expand(secret, label, length):
    info = struct.pack(">HB", length, len(label) + 6) + b"tls13 " + label.encode() + b"\0"
    return hmac.new(secret, info + b"\1", hashlib.sha256).digest()[:length]


def _ids(target, source):
    return bytes([len(target)]) + target + bytes([len(source)]) + source


def initial(frames, target, source, origin=None, server=False, version=V1, number=0, token=b"", size=0, shown=None):
    """An Initial packet. `origin` is the id that the keys are made of, if not `target`; `size` the least length of the
    whole packet; `shown` the version in the header, if it is another one than that of the keys.
    """
    secret = hmac.new(bytes.fromhex(SALTS[version]), target if origin is None else origin, hashlib.sha256).digest()
    secret = _expand(secret, "server in" if server else "client in", 32)
    prefix = "quicv2" if version == V2 else "quic"
    key, iv, hp = (_expand(secret, f"{prefix} {what}", n) for what, n in (("key", 16), ("iv", 12), ("hp", 16)))
    head = bytes([0xD3 if version == V2 else 0xC3]) + struct.pack(">I", shown or version) + _ids(target, source) + varint(len(token)) + token
    payload = frames + bytes(max(size - len(head) - 22 - len(frames), 20 - len(frames), 0))
    head += struct.pack(">HI", 0x4000 | len(payload) + 20, number)
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    sealed = gcm(key, nonce, payload, head)
    mask = aes(hp)(sealed[:16])
    return bytes([head[0] ^ mask[0] & 15]) + head[1:-4] + bytes(a ^ b for a, b in zip(head[-4:], mask[1:])) + sealed


def long(kind, sealed, target, source, version=V1):
    """A 0-RTT (1) or Handshake (2) packet around bytes that nobody here has keys for."""
    kind = kind + 1 if version == V2 else kind
    return bytes([0xC0 | kind << 4]) + struct.pack(">I", version) + _ids(target, source) + varint(len(sealed)) + sealed


def retry(origin, target, source, token):
    head = b"\xff" + struct.pack(">I", V1) + _ids(target, source) + token
    key, nonce = bytes.fromhex("be0c690b9f66575a1d766b54e368c84e"), bytes.fromhex("461599d35d632bf2239825bb")
    return head + gcm(key, nonce, b"", bytes([len(origin)]) + origin + head)


def negotiation(target, source, *versions):
    return b"\x80" + bytes(4) + _ids(target, source) + b"".join(struct.pack(">I", v) for v in versions)


def short(target, sealed):
    return b"\x40" + target + sealed


# ---------------------------------------------------------------------------------------------------- Google's own
def google(version, connection, name):
    """The first packet of a client of version Q037 to Q043, or Q046: a hello of tags behind a hash."""
    values = [(b"PAD\0", b"-" * 700), (b"SNI\0", name), (b"VER\0", version), (b"UAID", b"example")]
    table, end = b"", 0
    for tag, value in values:
        end += len(value)
        table += tag + struct.pack("<I", end)
    hello = b"CHLO" + struct.pack("<HH", len(values), 0) + table + b"".join(value for _, value in values)
    new = int(version[1:]) >= 39
    plain = b"\xa0\x01" + struct.pack(">H" if new else "<H", len(hello)) + hello + bytes(200)
    if version == b"Q046":
        head = b"\xc3" + version + b"\x50" + connection + b"\0\0\0\1"
    else:
        head = b"\x0d" + connection + version + b"\1"
    sum_ = 0x6C62272E07BB014262B821756295C58D
    for byte in head + plain + b"Client":
        sum_ = (sum_ ^ byte) * 0x1000000000000000000013B % (1 << 128)
    return head + sum_.to_bytes(16, "little")[:12] + plain


if __name__ == "__main__":
    origin = bytes.fromhex("8394c8f03e515708")
    answer = bytes.fromhex("02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e00"
                           "330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304")
    key, iv, hp = (_expand(_expand(hmac.new(bytes.fromhex(SALTS[V1]), origin, hashlib.sha256).digest(), "server in", 32), f"quic {w}", n)
                   for w, n in (("key", 16), ("iv", 12), ("hp", 16)))
    sealed = gcm(key, (int.from_bytes(iv, "big") ^ 1).to_bytes(12, "big"), answer, bytes.fromhex("c1000000010008f067a5502a4262b50040750001"))
    assert sealed.hex().endswith("022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee")
    assert retry(origin, b"", bytes.fromhex("f067a5502a4262b5"), b"token")[-16:].hex() == "04a265ba2eff4d829058fb3f0f2496ba"
    print("as RFC 9001 appendix A has it")
