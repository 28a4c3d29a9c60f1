import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/core/bytes.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { take } from '../../../src/core/outcome.ts'
import type { ReleaseBinding } from '../../../src/release/answer.ts'
import { HPKE_INFO, hpkeAad, sealHpke } from '../../../src/release/wrap/hpke.ts'
import { wrapKeyOfSpki } from '../../../src/release/wrap/index.ts'
import { openJwe } from '../../../src/release/wrap/jwe.ts'
import { describeVectors, VECTORS } from '../../core/support.ts'
import { spkiOf } from '../support.ts'
import { keySchedule, openByHand } from './hpke-by-hand.ts'

const hex = (text: string) => Buffer.from(text, 'hex')

describe('HPKE beside RFC 9180 by hand', () => {
  // RFC 9180 A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode.
  const A1 = {
    kem: 'x25519',
    aead: 'aes-128-gcm',
    privateKey: createPrivateKey({
      key: Buffer.concat([
        hex('302e020100300506032b656e04220420'),
        hex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8'),
      ]),
      format: 'der',
      type: 'pkcs8',
    }),
    enc: hex('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431'),
    info: hex('4f6465206f6e2061204772656369616e2055726e'),
  } as const

  it('by hand is what the RFC says', () => {
    const { key, nonce } = keySchedule(A1)
    expect([toHex(key), toHex(nonce)]).toEqual(['4531685d41d65f03dc48f6b8302c05b0', '56d890e5accaaf011cff4b7d'])
    const sealed = hex('f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a')
    expect(new TextDecoder().decode(openByHand(A1, utf8('Count-0'), sealed))).toBe('Beauty is truth, truth beauty')
  })

  it.each([
    ['x25519', generateKeyPairSync('x25519')],
    ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ] as const)('%s: by hand opens ours', async (kem, { publicKey, privateKey }) => {
    const to = wrapKeyOfSpki(spkiOf(publicKey), 'key')
    const binding: ReleaseBinding = { tenant: 't', keyId: 'k', workload: 'w', policyDigest: 'p', challengeId: 'c' }
    const { enc, ciphertext } = take(await sealHpke(take(to), utf8('secret'), binding))
    const how = { kem, aead: 'aes-256-gcm', privateKey, enc: Buffer.from(enc, 'base64'), info: HPKE_INFO } as const
    const aad = hpkeAad(binding)
    expect(new TextDecoder().decode(openByHand(how, aad, Buffer.from(ciphertext, 'base64')))).toBe('secret')
    expect(new TextDecoder().decode(aad)).toBe(
      '{"challengeId":"c","keyId":"k","policyDigest":"p","tenant":"t","workload":"w"}',
    )
  })
})

interface Group {
  readonly curve?: string
  readonly private?: Record<string, string>
  readonly tests: readonly Record<string, string>[]
}
const groupsOf = (name: string): readonly Group[] =>
  JSON.parse(readFileSync(join(VECTORS, 'wycheproof', `${name}_test.json`), 'utf8')).testGroups

describeVectors('wycheproof', () => {
  it('points of P-256', () => {
    const head = hex('3059301306072a8648ce3d020106082a8648ce3d030107034200')
    const tests = groupsOf('ecdh_secp256r1_ecpoint').flatMap((g) => g.tests)
    const wrong = tests.filter(({ public: point = '', result }) => {
      const isOurs = result === 'valid' && point.length === 130
      return wrapKeyOfSpki(Buffer.concat([head, hex(point)]), 'key').ok !== isOurs
    })
    expect(wrong.map((t) => `${t.tcId} ${t.comment}`)).toEqual([])
    expect(tests.length).toBeGreaterThan(300)
  })

  it('points of X25519: all but those whose secret everybody knows', () => {
    const tests = groupsOf('x25519').flatMap((g) => g.tests)
    const wrong = tests.filter(({ public: point = '', shared = '' }) => {
      const spki = Buffer.concat([hex('302a300506032b656e032100'), hex(point)])
      return wrapKeyOfSpki(spki, 'key').ok === /^0+$/.test(shared)
    })
    expect(wrong.map((t) => `${t.tcId} ${t.comment}`)).toEqual([])
    expect(tests.length).toBeGreaterThan(500)
  })

  it('JWE: what is valid and of our algorithms opens, everything else is refused', () => {
    let opened = 0
    let refused = 0
    const wrong: string[] = []
    for (const { private: jwk = {}, tests } of groupsOf('json_web_encryption')) {
      if (jwk.kty !== 'RSA' && jwk.kty !== 'EC' && jwk.d === undefined) continue
      const privateKey = createPrivateKey({ key: { kty: jwk.crv === undefined ? 'RSA' : 'EC', ...jwk }, format: 'jwk' })
      for (const { jwe = '', pt = '', result, tcId, comment } of tests) {
        const [protectedHeader = '', encrypted_key = '', iv = '', ciphertext = '', tag = ''] = jwe.split('.')
        const header = headerOf(protectedHeader)
        const isOurs =
          ['ECDH-ES+A256KW', 'RSA-OAEP-256'].includes(header.alg ?? '') &&
          header.enc === 'A256GCM' &&
          header.alg === jwk.alg
        const read = openJwe({ protected: protectedHeader, encrypted_key, iv, ciphertext, tag }, privateKey)
        if (read.ok !== (isOurs && result === 'valid')) wrong.push(`${tcId} ${comment}`)
        else if (read.ok) opened += toHex(read.value) === pt ? 1 : 0
        else refused++
      }
    }
    expect(wrong).toEqual([])
    expect([opened > 1, refused > 40]).toEqual([true, true])
  })
})

function headerOf(text: string): Record<string, string> {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return {}
  }
}
