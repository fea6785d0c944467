"""A certificate for a server on this machine, as an authority would give one out; whoever is told to trust the file trusts it."""

from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

from chassis.clock import Clock
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


def write_certificate(file: Path, address: str = "127.0.0.1") -> Path:
    """Write a key (RSA 2048, as most mail servers have) and its certificate for an address into one file."""
    key, now = rsa.generate_private_key(65537, 2048), Clock().machine()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server on this machine")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return file
