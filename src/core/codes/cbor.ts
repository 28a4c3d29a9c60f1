import type { CodeTable } from './entry.ts'

export const CBOR_CODES = {
  // CBOR and COSE.
  LIMIT_CBOR: {
    verdict: 'reject',
    title: 'The CBOR nests too deeply or declares more than it holds.',
    hint: 'Send the whole document as the device produced it; a file that was cut short declares more than is left of it. Genuine documents nest fewer than ten levels.',
  },
  CBOR_NOT_DETERMINISTIC: {
    verdict: 'reject',
    title: 'The CBOR is not in its one deterministic form.',
    hint: 'Send the bytes that the device returned, without decoding and encoding them again. Lengths are definite and as short as they can be, and keys stand in order where the device writes them so.',
  },
  CBOR_DUPLICATE_KEY: {
    verdict: 'reject',
    title: 'A CBOR map has the same key twice.',
    hint: 'Readers differ on which of the two counts, so neither is taken. Devices never write such maps: send the bytes that the device returned.',
  },
  CBOR_UNEXPECTED_ITEM: {
    verdict: 'reject',
    title: 'The CBOR holds an item that has no place in it.',
    hint: 'Unknown keys and tags, floats and undefined values are refused, since a reader that skips them may miss what they change. Send the device document itself, not an object built around it.',
  },
  CBOR_TRAILING_BYTES: {
    verdict: 'reject',
    title: 'Bytes follow the end of the CBOR item.',
    hint: 'Send the document alone, in its exact length. A buffer that is larger than what the device wrote into it must be cut to the length the device returned.',
  },
  COSE_MALFORMED: {
    verdict: 'reject',
    title: 'The bytes are no COSE_Sign1 with an attached payload.',
    hint: 'Send the signed document as the device returned it: an array of protected header, unprotected header, payload and signature. Arm tokens carry tag 18 around it.',
  },
  COSE_ALGORITHM: {
    verdict: 'reject',
    title: 'The COSE signature algorithm is not the expected one, or not protected.',
    hint: 'Nitro documents and Arm realm tokens are signed with ES384, Arm platform tokens with ES256 or ES384, as their protected header says. Anything else was not made by these devices.',
  },
  COSE_HEADER_INVALID: {
    verdict: 'reject',
    title: 'A COSE header holds a parameter that is not known here.',
    hint: 'The protected header holds the algorithm alone and the unprotected header is empty. Send the document as the device returned it, without headers added on the way.',
  },
  COSE_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The COSE signature does not verify under the key that must have made it.',
    hint: 'The document was changed, damaged or signed by another key, or over other external data. Collect a new one and send its bytes unchanged.',
  },
} as const satisfies CodeTable
