#!/usr/bin/env python3
"""Makes certificate chains of our own for make.py and the unit tests: writes chains.json. Keys are made anew each time and
thrown away, so nobody else can sign with them; run it only to change what a chain says.

usage: make_chains.py [VECTORS]    needs the package `cryptography`

VECTORS is the folder x509 of the package `cryptography_vectors` (Apache-2.0 or BSD-3-Clause): two chains of a real site,
as its owners published them there. Without it, those that chains.json has are kept.
"""
import base64, datetime, json, os, sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(HERE, "chains.json")
PUBLIC = {"public-2015": ["cryptography.io.pem", "rapidssl_sha256_ca_g3.pem"],
          "public-2018": ["cryptography-scts.pem", "letsencryptx3.pem"]}


def day(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)


def name(common, organisation="Example Trust"):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation), x509.NameAttribute(NameOID.COMMON_NAME, common)])


class Holder:
    """A key with its certificate; `signer` is who signed it (itself where there is none)."""
    def __init__(self, common, key, signer=None, names=(), ca=False, organisation="Example Trust",
                 dates=("2025-06-01", "2027-06-01"), digest=hashes.SHA256(), usage=ExtendedKeyUsageOID.SERVER_AUTH, pss=None):
        self.name, self.key = name(common, organisation), key
        signer = signer or self
        builder = (x509.CertificateBuilder().subject_name(self.name).issuer_name(signer.name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(day(dates[0])).not_valid_after(day(dates[1]))
                   .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if isinstance(signer.key, ed25519.Ed25519PrivateKey):
            digest = None
        self.certificate = builder.sign(signer.key, digest, rsa_padding=pss)

    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)


def spoiled(der):
    """The same certificate with another last byte of its signature."""
    return der[:-1] + bytes([der[-1] ^ 1])


def with_sha1(certificate, signer):
    """The same certificate, signed with SHA-1 by an RSA key: the package signs none with it any more."""
    oid = "06092a864886f70d0101"
    tbs = certificate.tbs_certificate_bytes.replace(bytes.fromhex(oid + "0b"), bytes.fromhex(oid + "05"), 1)
    whole = certificate.public_bytes(serialization.Encoding.DER).replace(certificate.tbs_certificate_bytes, tbs)
    whole = whole.replace(bytes.fromhex(oid + "0b"), bytes.fromhex(oid + "05"))
    return whole.replace(certificate.signature, signer.key.sign(tbs, padding.PKCS1v15(), hashes.SHA1()))


def main(vectors):
    long_rsa = lambda bits=2048: rsa.generate_private_key(65537, bits)
    p256, p384 = (lambda: ec.generate_private_key(ec.SECP256R1())), (lambda: ec.generate_private_key(ec.SECP384R1()))
    old = ("2010-01-01", "2030-01-01")
    root = Holder("Example Root", long_rsa(), ca=True, dates=old)
    middle = Holder("Example Issuing", p256(), root, ca=True, dates=old)
    site = ["www.example.com", "*.shop.example.com"]
    leaf = Holder("www.example.com", p256(), middle, site)
    chains = {"root": [root.der()], "good": [leaf.der(), middle.der()], "good-with-root": [leaf.der(), middle.der(), root.der()],
              "no-issuer": [leaf.der()], "bad-signature": [spoiled(leaf.der()), middle.der()]}
    chains["expired"] = [Holder("www.example.com", p256(), middle, site, dates=("2023-01-01", "2024-01-01")).der(), middle.der()]
    chains["self-signed"] = [Holder("www.example.com", p256(), None, site).der()]
    chains["not-a-ca"] = [Holder("shop.example.com", p256(), leaf, site).der(), leaf.der(), middle.der()]
    chains["for-clients"] = [Holder("www.example.com", p256(), middle, site, usage=ExtendedKeyUsageOID.CLIENT_AUTH).der(), middle.der()]
    chains["no-alternative-name"] = [Holder("www.example.com", p256(), middle).der(), middle.der()]
    for label, key, signer, more in [
        ("short-key", long_rsa(1024), root, {}), ("rsa-sha512", p256(), root, {"digest": hashes.SHA512()}),
        ("pss", p256(), root, {"pss": padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)}),
    ]:
        chains[label] = [Holder("www.example.com", key, signer, site, dates=old, **more).der()]
    chains["sha1"] = [with_sha1(Holder("www.example.com", p256(), root, site, dates=old).certificate, root)]
    for label, key in [("p384", p384()), ("ed25519", ed25519.Ed25519PrivateKey.generate()), ("p521", ec.generate_private_key(ec.SECP521R1()))]:
        authority = Holder(f"Example {label}", key, root, ca=True, dates=old)
        chains[label] = [Holder("www.example.com", p256(), authority, site, digest=hashes.SHA384()).der(), authority.der()]
    guard = Holder("Example Guard CA", long_rsa(), ca=True, organisation="Example Guard", dates=old)
    for site, label in [("www.apple.com", "guard-apple"), ("s3.amazonaws.com", "guard-amazon"), ("intranet.example.com", "guard-own")]:
        chains[label] = [Holder(site, p256(), guard, [site], organisation="Example Guard").der(), guard.der()]
    apple = Holder("Apple Example Root CA", long_rsa(), ca=True, organisation="Apple Inc.", dates=old)
    chains["own-root"] = [Holder("www.apple.com", p256(), apple, ["www.apple.com"], organisation="Apple Inc.").der(), apple.der()]
    text = {label: [base64.b64encode(der).decode() for der in ders] for label, ders in chains.items()}
    if os.path.exists(PATH):
        before = json.load(open(PATH))
        text.update({label: before[label] for label in PUBLIC if label in before})
    for label, files in PUBLIC.items():
        if vectors:
            pems = [open(os.path.join(vectors, file), "rb").read() for file in files]
            ders = [x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER) for pem in pems]
            text[label] = [base64.b64encode(der).decode() for der in ders]
    with open(PATH, "w") as out:
        json.dump(text, out, indent=0)
        out.write("\n")
    print(f"{len(text)} chains, {os.path.getsize(PATH)} bytes")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
