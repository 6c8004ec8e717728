"""The files that are part of the package."""

from __future__ import annotations

from importlib.resources import files

from adamcore.data.dataset import DataError, check_digest

ADVICE = "Install the package again."

DIGESTS = {
    "mnist": {
        "train-images-idx3-ubyte.gz": "7ff28fd295f802eefc6d40e461175dfe4b969b1842b2abc8c6dc8c20711cf79f",
        "train-labels-idx1-ubyte.gz": "81a978ae83d39ffdba0db3ce2fcaf80a8921e9629e874428996a2b03242d4b2a",
        "t10k-images-idx3-ubyte.gz": "197e111ae341b0770be9011ac5e622d0e6cd1c640b32eb0de5dc1dd26cc6e182",
        "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
    },
    "imdb": {
        "imdb.npz": "c0e822889af3620393b02aee3efb85b5704ba6765abdbc412bf49eebe04f7061",
    },
    "cifar10": {
        "cifar10_labels.npz": "9c56ff65e13059b6c93eda8e236e53c0a34523438871c3fcf343cbec350c4d05",
        "cifar10_train.webp": "334074f1295f9df5da14ed060d0ea566c7e82bafc8047509ed2e16e9f4bf7c30",
        "cifar10_test.webp": "136f78ffa1883bba0caab8f6910368456b033ab2dbb738aeb49169879f0ea654",
    },
}
"""SHA-256 of every embedded file as it lies in the package, by data set."""

TITLES = {"mnist": "MNIST", "imdb": "IMDB", "cifar10": "CIFAR-10"}


def read_packaged(dataset: str, name: str) -> bytes:
    """The bytes of an embedded file, not checked yet."""
    where = f"{TITLES[dataset]}: the embedded file {name}"
    try:
        return (files("adamcore.data") / "embedded" / name).read_bytes()
    except FileNotFoundError:
        raise DataError(f"{where} is missing. {ADVICE}") from None
    except OSError as error:
        raise DataError(f"{where} cannot be read ({error}). {ADVICE}") from None


def read_checked(dataset: str, name: str) -> bytes:
    """The bytes of an embedded file, checked before anything looks into them."""
    content = read_packaged(dataset, name)
    check_digest(content, DIGESTS[dataset][name], f"{TITLES[dataset]}: the embedded file {name}", ADVICE)
    return content
