"""Lets programs that load safetensors, as Transformers and vLLM do, load sealed weights without a change to them.

    PYTHONPATH=/this/folder VOUCHSAFE_WEIGHTS_KEY=/run/key/model.jwk python serve.py

Python imports this by its name before the program's own first line, in every process that the program starts. `import safetensors`
then gives PyPI's `cryptotensors`, which reads the same files and sealed ones, with the keys of that file and no others. By itself
it also reads tensors in the clear, and takes one whose list of seals was removed for one in the clear: both are refused here.
Needs nothing but `cryptotensors`.
"""

import json
import os
import sys


def _only_sealed(path):
    import cryptotensors

    with open(path, encoding="utf-8") as file:
        keys = {key["kty"]: key for key in json.load(file)["keys"]}
    config = {"enc_key": keys["oct"], "sign_key": keys["okp"]}
    opened = cryptotensors.safe_open

    # `backend` is how later versions of safetensors are told to read: it changes nothing of what is read.
    def safe_open(filename, framework, device="cpu", backend=None):
        file = opened(filename, framework=framework, device=device, config=config)
        sealed = json.loads((file.reserved_metadata() or {}).get("__encryption__", "{}"))
        clear = [name for name in file.keys() if name not in sealed]
        if clear or not sealed:
            raise cryptotensors.SafetensorError(f"{filename}: not sealed: {', '.join(clear[:3]) or 'no tensor'}")
        return file

    def deserialize(*_, **__):
        raise cryptotensors.SafetensorError("sealed weights are read from files, not from bytes")

    cryptotensors.safe_open = safe_open
    cryptotensors.deserialize = deserialize
    cryptotensors._safe_open_handle = deserialize
    # Its submodules have the names of those of safetensors, and are found by its path: safetensors.torch is cryptotensors/torch.py.
    sys.modules["safetensors"] = cryptotensors


_path = os.environ.get("VOUCHSAFE_WEIGHTS_KEY")
if _path is not None:
    try:
        _only_sealed(_path)
    except Exception as error:
        # Python would go on without this module, and safetensors would load what is sealed as if it were numbers.
        raise SystemExit(f"VOUCHSAFE_WEIGHTS_KEY {_path}: {type(error).__name__}: {error}") from None
