import { describe, expect, it } from 'vitest'
import { take } from '../../src/core/outcome.ts'
import { weightsSecret } from '../../src/release/weights-secret.ts'

const k = Buffer.alloc(32, 0xfb)
const x = Buffer.alloc(32, 0xfe)
const MASTER = { kty: 'oct', alg: 'aes256gcm', kid: 'm', k: k.toString('base64') }
const VERIFY = { kty: 'okp', alg: 'ed25519', kid: 's', x: x.toString('base64') }
const read = (...keys: readonly object[]) => weightsSecret(Buffer.from(JSON.stringify({ keys })))

describe('the secret of sealed weights', () => {
  it('is one JWK set in one spelling, whatever alphabet it came in', () => {
    const text = new TextDecoder().decode(take(read(VERIFY, MASTER)))
    expect(text).toBe(
      `{"keys":[{"alg":"aes256gcm","k":"${MASTER.k}","kid":"m","kty":"oct"},{"alg":"ed25519","kid":"s","kty":"okp","x":"${VERIFY.x}"}]}`,
    )
    const url = read({ ...MASTER, k: k.toString('base64url') }, { ...VERIFY, kty: 'OKP', x: x.toString('base64url') })
    expect(new TextDecoder().decode(take(url))).toBe(text)
  })

  it.each([
    ['no public key', [MASTER]],
    ['no master key', [VERIFY]],
    ['two master keys', [MASTER, MASTER, VERIFY]],
    ['a key of another kind', [MASTER, VERIFY, { kty: 'RSA' }]],
    ['a private key to sign with', [MASTER, { ...VERIFY, d: VERIFY.x }]],
    ['another algorithm', [{ ...MASTER, alg: 'aes256cbc' }, VERIFY]],
    ['a key of another size', [{ ...MASTER, alg: 'aes128gcm' }, VERIFY]],
    ['no kid', [{ ...MASTER, kid: '' }, VERIFY]],
    ['a member of another type', [{ ...MASTER, k: 7 }, VERIFY]],
  ])('has %s: refused, and nothing of it is told', (_, keys) => {
    const refused = read(...keys)
    expect(refused).toMatchObject({ ok: false, faults: [{ code: 'ADMIN_REQUEST_INVALID' }] })
    expect(JSON.stringify(refused)).not.toContain(MASTER.k.slice(0, 16))
  })

  it.each(['', '[]', '{}', '{"keys":{}}', '{"keys":[1]}', '{"keys":[],"keys":[]}'])('is not %s', (text) => {
    expect(weightsSecret(Buffer.from(text))).toMatchObject({ ok: false, faults: [{ code: 'ADMIN_REQUEST_INVALID' }] })
  })
})
