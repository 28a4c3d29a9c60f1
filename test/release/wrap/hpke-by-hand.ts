import { createDecipheriv, createHmac, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import { concatBytes, utf8 } from '../../../src/core/bytes.ts'

/*
 * RFC 9180 for a recipient, base mode, HKDF-SHA256, written from the text with nothing but HMAC, Diffie-Hellman and AES-GCM:
 * what our envelopes are compared with.
 */

const i2osp2 = (n: number) => Uint8Array.of(n >> 8, n & 0xff)
const hmac = (key: Uint8Array, data: Uint8Array) => new Uint8Array(createHmac('sha256', key).update(data).digest())

function expand(prk: Uint8Array, info: Uint8Array, size: number): Uint8Array {
  let block = new Uint8Array()
  let out = new Uint8Array()
  for (let i = 1; out.length < size; i++) {
    block = new Uint8Array(hmac(prk, concatBytes(block, info, Uint8Array.of(i))))
    out = new Uint8Array(concatBytes(out, block))
  }
  return out.subarray(0, size)
}

const labeledExtract = (suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array) =>
  hmac(salt.length === 0 ? new Uint8Array(32) : salt, concatBytes(utf8('HPKE-v1'), suite, utf8(label), ikm))

const labeledExpand = (suite: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, size: number) =>
  expand(prk, concatBytes(i2osp2(size), utf8('HPKE-v1'), suite, utf8(label), info), size)

const KEMS = { x25519: 0x0020, 'P-256': 0x0010 } as const
const AEADS = { 'aes-128-gcm': [0x0001, 16], 'aes-256-gcm': [0x0002, 32] } as const

export interface ByHand {
  readonly kem: keyof typeof KEMS
  readonly aead: keyof typeof AEADS
  readonly privateKey: KeyObject
  readonly enc: Uint8Array
  readonly info: Uint8Array
}

/** RFC 9180 §4.1 Decap, §5.1 KeySchedule. */
export function keySchedule({ kem, aead, privateKey, enc, info }: ByHand) {
  const head = { x25519: '302a300506032b656e032100', 'P-256': '3059301306072a8648ce3d020106082a8648ce3d030107034200' }[
    kem
  ]
  const sender = createPublicKey({ key: Buffer.concat([Buffer.from(head, 'hex'), enc]), format: 'der', type: 'spki' })
  const dh = diffieHellman({ privateKey, publicKey: sender })
  const own = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const kemSuite = concatBytes(utf8('KEM'), i2osp2(KEMS[kem]))
  const kemContext = concatBytes(enc, own.subarray(own.length - enc.length))
  const prk = labeledExtract(kemSuite, new Uint8Array(), 'eae_prk', dh)
  const shared = labeledExpand(kemSuite, prk, 'shared_secret', kemContext, 32)
  const [aeadId, keyBytes] = AEADS[aead]
  const suite = concatBytes(utf8('HPKE'), i2osp2(KEMS[kem]), i2osp2(0x0001), i2osp2(aeadId))
  const none = new Uint8Array()
  const context = concatBytes(
    Uint8Array.of(0),
    labeledExtract(suite, none, 'psk_id_hash', none),
    labeledExtract(suite, none, 'info_hash', info),
  )
  const secret = labeledExtract(suite, shared, 'secret', none)
  return {
    key: labeledExpand(suite, secret, 'key', context, keyBytes),
    nonce: labeledExpand(suite, secret, 'base_nonce', context, 12),
  }
}

export function openByHand(how: ByHand, aad: Uint8Array, sealed: Uint8Array): Uint8Array {
  const { key, nonce } = keySchedule(how)
  const end = sealed.length - 16
  const decipher = createDecipheriv(how.aead, key, nonce).setAAD(aad).setAuthTag(sealed.subarray(end))
  return concatBytes(decipher.update(sealed.subarray(0, end)), decipher.final())
}
