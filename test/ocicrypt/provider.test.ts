import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { vouchsafe } from '../cli/run.ts'

const KEY_ID = 'kbs:///acme/image/k1'
const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-ocicrypt-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const keyFile = (name: string, bytes = 32, kid = KEY_ID): string => {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify({ keys: [{ kty: 'oct', kid, k: randomBytes(bytes).toString('base64') }] }), {
    mode: 0o600,
  })
  return path
}
const base64 = (value: string | object): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')

const LAYER_KEY = { symkeyopts: 'the key of a layer', cipheroptions: {} }
/** As ocicrypt 1.2.1 writes it, unset members and all. */
const wrapRequest = (keyId: string, provider = 'vouchsafe') => ({
  op: 'keywrap',
  keywrapparams: {
    ec: { Parameters: { [provider]: [base64(keyId)] }, DecryptConfig: { Parameters: null } },
    optsdata: base64(LAYER_KEY),
  },
  keyunwrapparams: { dc: null, annotation: null },
})
const unwrapRequest = (annotation: string) => ({
  op: 'keyunwrap',
  keywrapparams: { ec: null, optsdata: null },
  keyunwrapparams: { dc: { Parameters: { vouchsafe: [base64('vouchsafe')] } }, annotation },
})
const asked = (keys: string, request: object) =>
  vouchsafe(['ocicrypt', '--key-file', keys], { stdin: JSON.stringify(request) })

async function annotationBy(keys: string): Promise<string> {
  const { exit, stdout } = await asked(keys, wrapRequest(KEY_ID))
  expect(exit).toBe(0)
  return (JSON.parse(stdout) as { keywrapresults: { annotation: string } }).keywrapresults.annotation
}

describe('the key provider for encrypted images', () => {
  it('wraps the key of a layer as guests read it, and unwraps it again', async () => {
    const keys = keyFile('keys.json')
    const annotation = await annotationBy(keys)
    expect(JSON.parse(Buffer.from(annotation, 'base64').toString())).toEqual({
      kid: KEY_ID,
      wrapped_data: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/),
      iv: expect.stringMatching(/^[A-Za-z0-9+/]{16}$/),
      wrap_type: 'A256GCM',
    })
    const { exit, stdout } = await asked(keys, unwrapRequest(annotation))
    expect([exit, JSON.parse(stdout)]).toEqual([0, { keyunwrapresults: { optsdata: base64(LAYER_KEY) } }])
  })

  it('quotes nothing of the key of a layer', async () => {
    const keys = keyFile('quiet.json')
    const secret = base64(LAYER_KEY)
    const request = JSON.stringify(wrapRequest(KEY_ID))
    for (const [stdin, code] of [
      [request.slice(0, request.indexOf(secret) + 30), 'JSON_SYNTAX'],
      [request.replace(secret, secret.replace(/=*$/, '!')), 'ENV_BASE64_NOT_CANONICAL'],
    ] as const) {
      const { exit, stdout, stderr } = await vouchsafe(['ocicrypt', '--key-file', keys], { stdin })
      expect([exit, stdout]).toEqual([1, ''])
      expect(stderr).toContain(code)
      expect(stderr).not.toContain(secret.slice(0, 8))
    }
  })

  it('tells what is wrong on stderr, and gives nothing', async () => {
    const keys = keyFile('own.json')
    const annotation = await annotationBy(keys)
    const refused = async (file: string, request: object) => {
      const { exit, stdout, stderr } = await asked(file, request)
      expect([exit, stdout]).toEqual([1, ''])
      return /[A-Z]+_[A-Z_]+/.exec(stderr)?.[0]
    }
    expect(await refused(keyFile('other.json'), unwrapRequest(annotation))).toBe('OCICRYPT_UNWRAP_FAILED')
    expect(await refused(keyFile('none.json', 32, 'kbs:///acme/image/k2'), unwrapRequest(annotation))).toBe(
      'OCICRYPT_KEY_UNKNOWN',
    )
    expect(await refused(keyFile('short.json', 16), unwrapRequest(annotation))).toBe('OCICRYPT_KEY_INVALID')
    expect(await refused(keys, wrapRequest('file:///etc/passwd'))).toBe('OCICRYPT_REQUEST_INVALID')
    expect(await refused(keys, wrapRequest(KEY_ID, 'isecl'))).toBe('OCICRYPT_REQUEST_INVALID')
    expect(await refused(keys, { op: 'else' })).toBe('OCICRYPT_REQUEST_INVALID')
    const bent = { ...JSON.parse(Buffer.from(annotation, 'base64').toString()), wrap_type: 'A256CTR' }
    expect(await refused(keys, unwrapRequest(base64(bent)))).toBe('OCICRYPT_REQUEST_INVALID')
  })

  it('takes keys from a file that nobody else can read', async () => {
    const keys = keyFile('open.json')
    chmodSync(keys, 0o644)
    const { exit, stderr } = await asked(keys, wrapRequest(KEY_ID))
    expect([exit, stderr]).toEqual([2, expect.stringContaining('0600')])
  })
})
