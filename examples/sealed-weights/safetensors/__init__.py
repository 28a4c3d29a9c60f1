"""Sealed weights for programs that load safetensors, as Transformers and vLLM do, without a change to them.

Installed in the place of safetensors, or on PYTHONPATH before it. PyPI's cryptotensors does the reading, with the keys of the file that
VOUCHSAFE_WEIGHTS_KEY names and no others. By itself that package also reads tensors in the clear, and takes sealed ones whose list of
seals was removed for such; here a file counts only as what `vouchsafe weights open --link-tensors` wrote down of it: with the very header
that was verified, every tensor sealed. Whatever is missing ends in an error, never in tensors.
"""

import json
import os
import sys

__version__ = "0.8.0+vouchsafe"

_MADE_FOR = "0.2.3"
_LINK = "vouchsafe/linked-tensors"
_LINK_BYTES = 100_000_000  # what a header of safetensors may have
_AEADS = ("aes256gcm", "aes128gcm", "chacha20poly1305")


class NotSealed(RuntimeError):
    """What keeps this process from loading sealed weights. No ImportError: nobody is to go on without them."""


def _read_keys():
    path = os.environ.get("VOUCHSAFE_WEIGHTS_KEY")
    if not path:
        raise NotSealed("VOUCHSAFE_WEIGHTS_KEY has to name the key file that vouchsafe fetch-key wrote")
    with open(path, encoding="utf-8") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise NotSealed("others can read the key file that VOUCHSAFE_WEIGHTS_KEY names: chmod 600")
        keys = json.load(file)["keys"]
    master, verifying = ([key for key in keys if key["kty"].lower() == kty] for kty in ("oct", "okp"))
    if len(keys) != 2 or len(master) != 1 or len(verifying) != 1:
        raise NotSealed("the key file that VOUCHSAFE_WEIGHTS_KEY names has to have two keys, as vouchsafe fetch-key writes it")
    if master[0].get("alg", _AEADS[0]) not in _AEADS:
        raise NotSealed("the key file that VOUCHSAFE_WEIGHTS_KEY names is for another algorithm")
    return {"enc_key": master[0], "sign_key": verifying[0]}


def _keys():
    """Gives what gives the keys. No frame that is left then has them, for programs that log the variables of a traceback."""
    try:
        config = _read_keys()
        return lambda: config
    except NotSealed as error:
        why = str(error)
    except Exception as error:
        # What a file has in it that is no key file may be secret all the same.
        what = getattr(error, "strerror", None) or f"it is no key file ({type(error).__name__})"
        why = f"the file that VOUCHSAFE_WEIGHTS_KEY names: {what}"
    raise NotSealed(why)


def _linked(path):
    """Where the sealed file is, and the signature of the header that was verified."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        text = file.read(size) if size <= _LINK_BYTES else b""
        more = file.read(1)
    try:
        link = json.loads(text.decode("utf-8"))["__metadata__"]
        if (link["format"], link["version"], len(text), more) == (_LINK, "1", size, b""):
            sealed, signature = str(link["file"]), str(link["signature"])
            if not os.path.exists(sealed):
                raise NotSealed(f"{path}: {sealed} is gone; link again where the sealed files are now")
            if not os.path.isfile(sealed):
                raise NotSealed(f"{path}: {sealed} is no file any more")
            return sealed, signature
    except (ValueError, LookupError, TypeError):
        pass
    raise NotSealed(f"{path}: not written by vouchsafe weights open --link-tensors")


def _take_the_place():
    keys = _keys()
    try:
        import cryptotensors
        from cryptotensors import _safetensors_rust as native
    except ImportError:
        raise NotSealed(f"pip install cryptotensors=={_MADE_FOR}") from None
    if cryptotensors.__version__ != _MADE_FOR:
        raise NotSealed(f"this was made for cryptotensors {_MADE_FOR}, and {cryptotensors.__version__} is installed")
    # Once more, where a program loads this module again: what was replaced is kept with what replaced it.
    opened = getattr(native.safe_open, "opened", native.safe_open)

    class safe_open:
        """A sealed file, opened. `backend` is how later versions of safetensors are told to read, and changes nothing of what is read."""

        def __new__(cls, filename, framework, device="cpu", backend=None):
            path, expected = _linked(os.fsdecode(filename))
            try:
                file = cls.opened(path, framework=framework, device=device, config=keys())
            except native.SafetensorError as error:
                raise native.SafetensorError(f"{path}: {error}, under the key that VOUCHSAFE_WEIGHTS_KEY names") from None
            reserved = file.reserved_metadata() or {}
            sealed = json.loads(reserved.get("__encryption__", "{}"))
            clear = [name for name in file.keys() if name not in sealed]
            if clear or not sealed:
                raise NotSealed(f"{path}: not sealed: {', '.join(clear[:3]) or 'no tensor'}")
            if reserved.get("__signature__") != expected:
                raise NotSealed(f"{path}: not the file that was linked, though sealed under the same keys")
            return file

    def from_bytes(*_, **__):
        raise NotSealed("sealed weights are read from their files, not from bytes")

    safe_open.opened = opened
    replaced = {"safe_open": safe_open, "deserialize": from_bytes, "_safe_open_handle": from_bytes}
    # Its submodules too, where somebody imported them before and they took the names along.
    for name, module in list(sys.modules.items()):
        if module is native or name.split(".")[0] == "cryptotensors":
            for attribute in replaced.keys() & vars(module).keys():
                setattr(module, attribute, replaced[attribute])
    return cryptotensors, native


_cryptotensors, _native = _take_the_place()
safe_open, deserialize = _cryptotensors.safe_open, _cryptotensors.deserialize
serialize, serialize_file = _cryptotensors.serialize, _cryptotensors.serialize_file
SafetensorError = _cryptotensors.SafetensorError

# Its submodules have the names of those of safetensors: safetensors.torch is cryptotensors/torch.py.
__path__ = list(_cryptotensors.__path__)
sys.modules[f"{__name__}._safetensors_rust"] = _native
