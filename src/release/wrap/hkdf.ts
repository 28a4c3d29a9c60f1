import type { HkdfSha256 } from '@hpke/core'

type Bytes = ArrayBufferLike | ArrayBufferView

const bytesOf = (bytes: Bytes): Uint8Array =>
  ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes as ArrayBuffer)

const bufferOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

/**
 * HKDF-SHA256 (RFC 5869) for a suite of `@hpke/core`, computed where it is asked for. By WebCrypto, as the suite's own does it,
 * each of the seven steps of a key schedule is one or two jobs of the thread pool: together as long as the rest of a sealing.
 */
export async function hkdfSha256(): Promise<HkdfSha256> {
  const [{ HkdfSha256: HkdfByWebCrypto }, { expand, extract, hkdf }, { sha256 }] = await Promise.all([
    import('@hpke/core'),
    import('@noble/hashes/hkdf.js'),
    import('@noble/hashes/sha2.js'),
  ])
  class HkdfInProcess extends HkdfByWebCrypto {
    override async extract(salt: Bytes, ikm: Bytes) {
      return bufferOf(extract(sha256, bytesOf(ikm), bytesOf(salt)))
    }

    override async expand(prk: Bytes, info: Bytes, sizeBytes: number) {
      return bufferOf(expand(sha256, bytesOf(prk), bytesOf(info), sizeBytes))
    }

    override async extractAndExpand(salt: Bytes, ikm: Bytes, info: Bytes, sizeBytes: number) {
      return bufferOf(hkdf(sha256, bytesOf(ikm), bytesOf(salt), bytesOf(info), sizeBytes))
    }
  }
  return new HkdfInProcess()
}
