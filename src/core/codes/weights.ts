import type { CodeTable } from './entry.ts'

export const WEIGHTS_CODES = {
  // The safetensors file itself.
  WEIGHTS_FILE_TRUNCATED: {
    verdict: 'reject',
    title: 'The model file ends before its header or its tensors do.',
    hint: 'The file was cut short, most often by a download or a copy that stopped. Fetch it again and compare its size with the source.',
  },
  WEIGHTS_FILE_TRAILING_BYTES: {
    verdict: 'reject',
    title: 'Bytes follow the last tensor of the model file.',
    hint: 'The format leaves no room for anything behind the tensors, so something was appended. Fetch the file again, or have its writer save it anew.',
  },
  WEIGHTS_HEADER_TOO_LARGE: {
    verdict: 'reject',
    title: 'The header of the model file is longer than the format allows.',
    hint: 'A safetensors header has at most 100 megabytes. The first eight bytes are its length: anything else there means that this is no safetensors file.',
  },
  WEIGHTS_HEADER_MALFORMED: {
    verdict: 'reject',
    title: 'The header of the model file has another form than safetensors gives it.',
    hint: 'The finding names the member. Have the tool that wrote the file save it again with a current safetensors library.',
  },
  WEIGHTS_DTYPE_UNKNOWN: {
    verdict: 'reject',
    title: 'A tensor has an element type that safetensors does not know.',
    hint: 'Save the tensor with a type of the safetensors format, such as BF16, F16 or F8_E4M3. A newer version of this tool may know a newer type.',
  },
  WEIGHTS_OFFSETS_INVALID: {
    verdict: 'reject',
    title: 'The tensors of the file overlap, leave holes or are out of order.',
    hint: 'Every tensor must begin where the one before it ends. Have the tool that wrote the file save it again; a file that was edited by hand cannot be mended here.',
  },
  WEIGHTS_TENSOR_SIZE_MISMATCH: {
    verdict: 'reject',
    title: 'A tensor has another number of bytes than its shape and element type say.',
    hint: 'The finding gives both numbers. Have the tool that wrote the file save it again.',
  },
  WEIGHTS_TENSOR_SIZE_OVERFLOW: {
    verdict: 'reject',
    title: 'A shape or offset of the file is larger than any file can be.',
    hint: 'Numbers up to 2 to the 53rd are read; no real tensor comes near. Have the tool that wrote the file save it again.',
  },

  // What CryptoTensors adds to it.
  WEIGHTS_NOT_SEALED: {
    verdict: 'reject',
    title: 'The model file is not encrypted.',
    hint: 'There is nothing to open or to wrap anew. Encrypt it with vouchsafe weights seal, or check that this is the file that you meant.',
  },
  WEIGHTS_ALREADY_SEALED: {
    verdict: 'reject',
    title: 'The model is encrypted already.',
    hint: 'To change its key use vouchsafe weights rewrap, which leaves the tensors as they are. To seal it anew open it first.',
  },
  WEIGHTS_HEADER_NOT_CANONICAL: {
    verdict: 'reject',
    title: 'The header of the encrypted model file is not spelled the way it was signed.',
    hint: 'Spaces, escapes or the order of its members were changed after it was signed. Fetch the file again from whoever sealed it, and do not edit it.',
  },
  WEIGHTS_VERSION_UNKNOWN: {
    verdict: 'reject',
    title: 'The encrypted model file has a version of the format that is not known.',
    hint: 'Versions 1 and 2 of CryptoTensors are read. Seal the model anew with one of them, or use a newer version of this tool.',
  },
  WEIGHTS_ALGORITHM_UNKNOWN: {
    verdict: 'reject',
    title: 'An algorithm is named that encrypted models do not use.',
    hint: 'Tensors are sealed with aes256gcm, aes128gcm or chacha20poly1305 and headers are signed with ed25519. Seal the model anew with one of these.',
  },
  WEIGHTS_ENCRYPTION_MALFORMED: {
    verdict: 'reject',
    title: 'What the model file says about its encryption is missing or has another form than CryptoTensors gives it.',
    hint: 'The finding names the member. Fetch the file again from whoever sealed it, or seal the model anew.',
  },
  WEIGHTS_ENCRYPTION_UNKNOWN_TENSOR: {
    verdict: 'reject',
    title: 'The file describes the encryption of a tensor that it does not have.',
    hint: 'The header was put together from two files. Fetch the file again from whoever sealed it, or seal the model anew.',
  },
  WEIGHTS_TENSOR_NOT_SEALED: {
    verdict: 'reject',
    title: 'A tensor of the encrypted file is not encrypted.',
    hint: 'Nothing shows whether its bytes were changed, so it is not taken. Where the owner left it open on purpose say so with --plain-tensors, or seal the whole model anew.',
  },
  WEIGHTS_TAG_COUNT_MISMATCH: {
    verdict: 'reject',
    title: 'A tensor has another number of tags than it has chunks.',
    hint: 'Each chunk has one tag of 16 bytes, and an empty tensor has one. Fetch the file again from whoever sealed it, or seal the model anew.',
  },
  WEIGHTS_IV_OVERFLOW: {
    verdict: 'reject',
    title: 'The counter in the IV of a tensor would run over before its last chunk.',
    hint: 'Two chunks would share an IV, which gives the tensor away. Seal the model anew with this tool, which chooses IVs that have room.',
  },
  WEIGHTS_SIGNATURE_MISSING: {
    verdict: 'reject',
    title: 'The header of the encrypted model file is not signed.',
    hint: 'Without the signature anybody could have put the tensors together. Fetch the file again from whoever sealed it.',
  },
  WEIGHTS_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The signature of the encrypted model does not verify under the public key that came with the model key.',
    hint: 'The header or manifest was changed, or signed by another key. Fetch the file again, and check that the key file is the one that belongs to this model.',
  },
  WEIGHTS_DATA_KEY_INVALID: {
    verdict: 'reject',
    title: 'The key of a tensor or file cannot be unwrapped with this model key.',
    hint: 'The model was sealed or last wrapped under another key, or the wrapped key was changed. Use the key file that was current when the model was written.',
  },
  WEIGHTS_CHUNK_TAG_INVALID: {
    verdict: 'reject',
    title: 'A chunk of a tensor is not what was sealed.',
    hint: 'The finding names tensor and chunk. The bytes were changed or damaged on the way: fetch the file again.',
  },

  // Keys.
  WEIGHTS_KEY_FILE_EXPOSED: {
    verdict: 'reject',
    title: 'The key file can be read by other users of this machine.',
    hint: 'Close it with chmod 600 and make sure that you own it. If others could log in to this machine, make a new key and rewrap the model.',
  },
  WEIGHTS_KEY_FILE_INVALID: {
    verdict: 'reject',
    title: 'The key file is not a set of JSON Web Keys with one key to encrypt and one Ed25519 key.',
    hint: 'The finding names the member. Write a new one with vouchsafe weights seal --new-key FILE, or save the keys as the broker released them.',
  },
  WEIGHTS_KEY_PAIR_MISMATCH: {
    verdict: 'reject',
    title: 'The public and the private signing key in the key file do not belong together.',
    hint: 'What was signed with the one would never verify under the other. Restore the key file from where it was made.',
  },
  WEIGHTS_SIGNING_KEY_MISSING: {
    verdict: 'reject',
    title: 'The key file has no private signing key.',
    hint: 'To seal or rewrap, the owner of the model needs the file that was made with --new-key. What a broker releases opens a model and cannot sign one.',
  },
  WEIGHTS_KEY_OTHER: {
    verdict: 'reject',
    title: 'The model was sealed under a key with another name or algorithm.',
    hint: 'The finding gives the name of the key that was used as expected and that of the model as found. Use the key file that belongs to this model; where a rewrap was interrupted, run the same one again.',
  },

  // The folder of a model, its manifest, and files that are not safetensors.
  WEIGHTS_LINK_OUTSIDE: {
    verdict: 'reject',
    title: 'A symbolic link leads out of the model folder.',
    hint: 'Copy the model with its links followed, for example with cp -rL, and use the copy; a cache of Hugging Face consists of such links.',
  },
  WEIGHTS_FILE_KIND: {
    verdict: 'reject',
    title: 'The model folder holds something that is neither a file nor a folder.',
    hint: 'Remove the device, socket, pipe or link to a folder that the finding names, or copy the model without it.',
  },
  WEIGHTS_FOLDER_EMPTY: {
    verdict: 'reject',
    title: 'The model folder holds no files.',
    hint: 'Check the path: an empty folder is most often a mistyped one, or a download that did not start.',
  },
  WEIGHTS_FOLDER_TOO_LARGE: {
    verdict: 'reject',
    title: 'The model folder holds more files than the limit.',
    hint: 'A model has tens or hundreds of files. Check the path, and move what is no part of the model elsewhere.',
  },
  WEIGHTS_PATH_UNSAFE: {
    verdict: 'reject',
    title: 'The name of a model file cannot be used in a folder.',
    hint: 'Names are relative, in plain UTF-8, without control characters, backslashes and parts such as dot-dot. Rename the file that the finding names.',
  },
  WEIGHTS_INDEX_MISMATCH: {
    verdict: 'reject',
    title: 'The index of the model and its files differ.',
    hint: 'The finding names the file or tensor that is missing. Most often a shard was not downloaded: fetch it, then run again.',
  },
  WEIGHTS_KEY_IN_MODEL: {
    verdict: 'reject',
    title: 'A file of the model is a key file of sealed models.',
    hint: 'Move it out of the folder, and give it by --key from where it is then: sealed into the model, it would reach every machine that opens it.',
  },
  WEIGHTS_OUTPUT_IS_INPUT: {
    verdict: 'reject',
    title: 'The output folder is the input, or lies within it, or holds it.',
    hint: 'Choose an output folder elsewhere, so that the only copy of the model is never written over.',
  },
  WEIGHTS_MANIFEST_MISSING: {
    verdict: 'reject',
    title: 'The folder has no manifest, so nothing says which files belong to the model.',
    hint: 'Copy the whole folder as it was sealed, vouchsafe-manifest.json included; if sealing was interrupted, run it again, and a model that was never sealed has to be first. A CryptoTensors file that was sealed by itself is opened by its own path.',
  },
  WEIGHTS_MANIFEST_MALFORMED: {
    verdict: 'reject',
    title: 'The manifest of the model has a member that is missing or of another form.',
    hint: 'The finding names it. Copy vouchsafe-manifest.json again from where the model was sealed.',
  },
  WEIGHTS_FILE_MISSING: {
    verdict: 'reject',
    title: 'A file that the manifest names is not in the folder.',
    hint: 'Copy the whole folder again as it was sealed.',
  },
  WEIGHTS_DIGEST_MISMATCH: {
    verdict: 'reject',
    title: 'A file of the model is not the one that the manifest names.',
    hint: 'It was changed, damaged or taken from another sealing. Copy it again; if a rewrap was interrupted, run that again with the same two keys.',
  },
  WEIGHTS_FOLDER_ONLY: {
    verdict: 'reject',
    title: 'The file belongs to a sealed folder and cannot be handled without it.',
    hint: 'Name the folder instead of the file: its manifest holds the digests and keys of all of its files, which must change together.',
  },
  WEIGHTS_STREAM_MALFORMED: {
    verdict: 'reject',
    title: 'A sealed file does not have the size or header of a Tink stream.',
    hint: 'It was cut short or is another file. Copy it again from where the model was sealed.',
  },
  WEIGHTS_SEGMENT_TAG_INVALID: {
    verdict: 'reject',
    title: 'A segment of a sealed file is not what was sealed.',
    hint: 'The finding names file and segment. The bytes were changed or damaged on the way: copy the file again.',
  },
} as const satisfies CodeTable
