import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  type Curve,
  ecdsaComponentsInRange,
  ecdsaRawFromDer,
  isUncompressedPoint,
} from '../../../src/core/crypto/ecdsa.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import type { SignatureAlgorithm } from '../../../src/core/crypto/port.ts'
import { webCrypto } from '../../../src/core/crypto/web.ts'
import { decodeDer } from '../../../src/core/der.ts'
import { attempt } from '../../../src/core/outcome.ts'
import { decodePublicKey } from '../../../src/core/x509/algorithms.ts'
import { describeVectors, hex, VECTORS, valueIn } from '../support.ts'

interface Vector {
  readonly tcId: number
  readonly comment: string
  readonly flags: readonly string[]
  readonly msg: string
  readonly sig: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

interface File {
  readonly numberOfTests: number
  readonly testGroups: readonly {
    readonly publicKeyDer: string
    readonly publicKey: { readonly uncompressed?: string }
    readonly sha: string
    readonly mgfSha?: string
    readonly sLen?: number
    readonly tests: readonly Vector[]
  }[]
}

const FOLDER = join(VECTORS, 'wycheproof')
const read = (file: string): File => JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))

type Form = { readonly form: 'der'; readonly curve: Curve } | { readonly form: 'raw' }

const SUITES: readonly (readonly [file: string, algorithm: SignatureAlgorithm, form: Form])[] = [
  ['ecdsa_secp256r1_sha256_p1363_test.json', 'ES256', { form: 'raw' }],
  ['ecdsa_secp256r1_sha256_test.json', 'ES256', { form: 'der', curve: 'P-256' }],
  ['ecdsa_secp384r1_sha384_p1363_test.json', 'ES384', { form: 'raw' }],
  ['ecdsa_secp384r1_sha384_test.json', 'ES384', { form: 'der', curve: 'P-384' }],
  ['rsa_pss_2048_sha384_mgf1_48_test.json', 'PS384', { form: 'raw' }],
  ['rsa_pss_4096_sha384_mgf1_48_test.json', 'PS384', { form: 'raw' }],
]

/**
 * Our choice for every vector that Wycheproof leaves to the implementation (`acceptable`), by file and tcId, with the
 * reason. The files of this revision have none; a new revision that brings some fails below until each has a line here.
 */
const ACCEPTABLE: Readonly<Record<string, { readonly accept: boolean; readonly because: string }>> = {}

describeVectors('wycheproof', () => {
  describe.each([nodeCrypto, webCrypto(globalThis.crypto.subtle)])('on $name', (port) => {
    it.each(SUITES)('%s', async (file, algorithm, form) => {
      const { testGroups, numberOfTests } = read(file)
      const wrong: string[] = []
      let run = 0
      for (const group of testGroups) {
        expect([group.sha, group.mgfSha ?? group.sha, group.sLen ?? 48]).toEqual(
          algorithm === 'ES256' ? ['SHA-256', 'SHA-256', 48] : ['SHA-384', 'SHA-384', 48],
        )
        const spki = hex(group.publicKeyDer)
        for (const vector of group.tests) {
          const given = hex(vector.sig)
          const signature = form.form === 'raw' ? given : ecdsaRawFromDer(form.curve, given)
          const accepted = signature !== undefined && (await port.verify(algorithm, spki, hex(vector.msg), signature))
          const choice = ACCEPTABLE[`${file}#${vector.tcId}`]
          const wanted = vector.result === 'acceptable' ? choice?.accept : vector.result === 'valid'
          if (accepted !== wanted) wrong.push(`${vector.tcId} ${vector.comment}: ${vector.result}`)
          run++
        }
      }
      expect(wrong).toEqual([])
      expect(run).toBe(numberOfTests)
    })
  })

  it('every acceptable vector has our choice and the reason for it, and no choice is left over', () => {
    const open = SUITES.flatMap(([file]) =>
      read(file).testGroups.flatMap((g) =>
        g.tests.filter((t) => t.result === 'acceptable').map((t) => `${file}#${t.tcId}`),
      ),
    )
    expect(open.sort()).toEqual(Object.keys(ACCEPTABLE).sort())
    expect(Object.values(ACCEPTABLE).filter(({ because }) => because === '')).toEqual([])
  })

  it('every key is one that decodePublicKey reads, and every point lies on its curve', () => {
    for (const [file, algorithm] of SUITES) {
      for (const { publicKeyDer, publicKey } of read(file).testGroups) {
        const key = valueIn(attempt(() => decodePublicKey(valueIn(decodeDer(hex(publicKeyDer), 'k')), 'k')))
        expect(key.kind).toBe(algorithm === 'PS384' ? 'rsa' : 'ec')
        const curve = algorithm === 'ES256' ? 'P-256' : 'P-384'
        if (publicKey.uncompressed !== undefined)
          expect(isUncompressedPoint(curve, hex(publicKey.uncompressed))).toBe(true)
      }
    }
  })

  it('refuses the raw vectors about range and size before any port sees them', () => {
    for (const [file, curve] of [
      ['ecdsa_secp256r1_sha256_p1363_test.json', 'P-256'],
      ['ecdsa_secp384r1_sha384_p1363_test.json', 'P-384'],
    ] as const) {
      const tests = read(file).testGroups.flatMap((g) => g.tests)
      const bad = tests.filter((t) => t.flags.includes('SignatureSize') || t.flags.includes('InvalidSignature'))
      expect(bad.length).toBeGreaterThan(50)
      const invalid = (t: Vector) => !ecdsaComponentsInRange(curve, hex(t.sig))
      expect(bad.filter((t) => t.flags.includes('SignatureSize')).every(invalid)).toBe(true)
      expect(tests.filter((t) => t.result === 'valid').some(invalid)).toBe(false)
    }
  })
})
