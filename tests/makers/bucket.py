"""An S3-compatible server of the tests' own, on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3  # type: ignore[import-untyped]  # it has no types of its own
from moto.server import ThreadedMotoServer

BUCKET, ACCESS_KEY, SECRET_KEY = "documents", "a key of the tests", "a secret of theirs"


@contextmanager
def bucket() -> Iterator[str]:
    """Serve one bucket, and give the server's address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    client.create_bucket(Bucket=BUCKET)
    client.close()
    try:
        yield address
    finally:
        server.stop()
