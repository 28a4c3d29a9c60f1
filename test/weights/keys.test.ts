import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, it, test } from 'vitest'
import type { Code } from '../../src/core/codes.ts'
import {
  modelKeyFile,
  newModelKey,
  parseModelKey,
  readKeyFile,
  releasedModelKey,
  writeKeyFile,
} from '../../src/weights/index.ts'
import { accepted, fresh, refused } from './stage.ts'

const key = newModelKey()
const [MASTER, SIGNER] = JSON.parse(modelKeyFile(key)).keys
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const set = (master: object, signer: object) =>
  bytes({
    keys: [
      { ...MASTER, ...master },
      { ...SIGNER, ...signer },
    ],
  })
const url = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const isSame = (other: typeof key) => modelKeyFile(other) === modelKeyFile(key)

describe('a key file', () => {
  it.each([
    ['as it is written', Buffer.from(modelKeyFile(key))],
    ['the other way round', bytes({ keys: [SIGNER, MASTER] })],
    ['an array', bytes([MASTER, SIGNER])],
    [
      'as JWKs are',
      set({ k: url(MASTER.k) }, { kty: 'OKP', alg: 'EdDSA', crv: 'Ed25519', x: url(SIGNER.x), d: url(SIGNER.d) }),
    ],
    ['without the public half, which follows', set({}, { x: undefined })],
    ['with an algorithm in capitals', set({ alg: 'AES-256-GCM' }, { alg: 'Ed25519' })],
  ])('is read: %s', (_, file) => {
    expect(isSame(accepted(parseModelKey(file)))).toBe(true)
  })

  const other = JSON.parse(modelKeyFile(newModelKey())).keys[1]
  test.each<readonly [what: string, code: Code, file: Uint8Array]>([
    ['no JSON', 'JSON_SYNTAX', Buffer.from(`{"k":"${MASTER.k}`)],
    ['no UTF-8', 'UTF8_INVALID', Buffer.of(0xff)],
    ['a member twice', 'JSON_DUPLICATE_KEY', Buffer.from('{"keys":[],"keys":[]}')],
    ['no keys', 'WEIGHTS_KEY_FILE_INVALID', bytes({})],
    ['one key', 'WEIGHTS_KEY_FILE_INVALID', bytes({ keys: [MASTER] })],
    ['two of a kind', 'WEIGHTS_KEY_FILE_INVALID', bytes({ keys: [MASTER, MASTER] })],
    ['a third one', 'WEIGHTS_KEY_FILE_INVALID', bytes({ keys: [MASTER, SIGNER, { kty: 'RSA' }] })],
    ['a key that is none', 'WEIGHTS_KEY_FILE_INVALID', bytes({ keys: [MASTER, 1] })],
    ['no algorithm', 'WEIGHTS_KEY_FILE_INVALID', set({ alg: undefined }, {})],
    ['no algorithm to sign with', 'WEIGHTS_KEY_FILE_INVALID', set({}, { alg: undefined })],
    ['an unknown algorithm', 'WEIGHTS_ALGORITHM_UNKNOWN', set({ alg: 'A256GCMKW' }, {})],
    ['another curve', 'WEIGHTS_ALGORITHM_UNKNOWN', set({}, { crv: 'X25519' })],
    ['a key of another length', 'WEIGHTS_KEY_FILE_INVALID', set({ alg: 'aes128gcm' }, {})],
    ['no key in it', 'WEIGHTS_KEY_FILE_INVALID', set({ k: undefined }, {})],
    ['no base64', 'WEIGHTS_KEY_FILE_INVALID', set({ k: `${MASTER.k.slice(0, -2)}*=` }, {})],
    ['no public key', 'WEIGHTS_KEY_FILE_INVALID', set({}, { x: undefined, d: undefined })],
    ['halves of two keys', 'WEIGHTS_KEY_PAIR_MISMATCH', set({}, { x: other.x })],
  ])('is refused with %s: %s, and shows nothing of it', (_, code, file) => {
    const outcome = parseModelKey(file)
    refused(outcome, code)
    expect(JSON.stringify(outcome)).not.toContain(MASTER.k.slice(0, 8))
  })

  it('is for its owner alone', async () => {
    const path = fresh('key')
    await writeKeyFile(path, key)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(isSame(accepted(await readKeyFile(path)))).toBe(true)
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610]) {
      chmodSync(path, mode)
      refused(await readKeyFile(path), 'WEIGHTS_KEY_FILE_EXPOSED')
    }
    chmodSync(path, 0o400)
    accepted(await readKeyFile(path))
  })

  it('is never written over', async () => {
    const path = fresh('key')
    writeFileSync(path, 'x')
    await expect(writeKeyFile(path, key)).rejects.toMatchObject({ code: 'EEXIST' })
  })

  it('is bounded', async () => {
    const path = fresh('key')
    writeFileSync(path, ' '.repeat(70_000), { mode: 0o600 })
    refused(await readKeyFile(path), 'WEIGHTS_KEY_FILE_INVALID')
  })
})

describe('a key in memory', () => {
  it('shows nothing of itself', () => {
    const shown = inspect(key, { depth: 9, showHidden: true }) + JSON.stringify(key)
    for (const secret of [MASTER.k, SIGNER.d]) {
      expect(shown).not.toContain(secret)
      expect(shown).not.toContain(Buffer.from(secret, 'base64').toString('hex'))
    }
  })

  it('comes from a release without the private half', () => {
    const jwk = { kty: 'oct', alg: 'aes256gcm', kid: MASTER.kid, k: url(MASTER.k) }
    const released = accepted(
      releasedModelKey(jwk, { kty: 'OKP', crv: 'Ed25519', kid: SIGNER.kid, x: url(SIGNER.x), d: url(SIGNER.d) }),
    )
    expect(released.signing).toBeUndefined()
    expect(JSON.parse(modelKeyFile(released)).keys).toEqual([MASTER, { ...SIGNER, d: undefined }])
    refused(releasedModelKey(jwk, undefined), 'WEIGHTS_KEY_FILE_INVALID')
  })
})
