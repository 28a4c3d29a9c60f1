import { createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decodeCcaToken } from '../../src/attestation/cca/index.ts'
import type { Code } from '../../src/core/codes.ts'
import { fromBase64 } from '../../src/core/encodings.ts'
import { parseRfc3339 } from '../../src/core/time.ts'
import { createVerificationCache, type Decision, prepareCollateral, verify } from '../../src/index.ts'
import { presetPolicy } from '../../src/policy/parse.ts'
import { cbor, ccaToken, ecKey, pem } from '../../src/testing/index.ts'
import { describeEvidence, evidence, evidenceJson, hasEvidence } from '../support/evidence.ts'

interface Row {
  readonly id: string
  readonly area: string
  readonly path: string
  readonly kind: string
  readonly expect: string
}

interface Case {
  readonly verificationTime?: string
  readonly nonce?: string | null
  readonly verifiedHere: { readonly debug?: boolean }
}

interface Jwk {
  readonly kty: string
}

const rows = (kind: string): readonly Row[] =>
  evidenceJson<readonly Row[]>('index.json').filter((r) => r.area === 'tpm-and-clouds' && r.kind === kind)

interface How {
  readonly file: string
  readonly keys?: readonly string[]
  readonly nonce?: string
  readonly now: number
  readonly withPolicy?: boolean
}

async function judged(path: string, { file, keys = [], nonce, now, withPolicy = false }: How): Promise<Decision> {
  const files = keys.map((text, i) => ({ name: `key-${i}`, bytes: new TextEncoder().encode(text) }))
  const { collateral, faults } = await prepareCollateral(files)
  expect(faults).toEqual([])
  return verify(evidence(`${path}/${file}`), {
    now,
    policy: withPolicy ? presetPolicy('cpu-confidential') : null,
    freshness:
      nonce === undefined
        ? { kind: 'notChecked', because: 'the case states no nonce of ours' }
        : { kind: 'nonce', nonce: Uint8Array.from(Buffer.from(nonce, 'hex')) },
    collateral,
    lease: null,
    physical: 'unknown',
    referenceValues: [],
    injectedAnchors: [],
    cache: createVerificationCache(),
  })
}

const codesIn = (decision: Decision): readonly Code[] => decision.findings.map((f) => f.code)

describeEvidence('tpm-and-clouds', () => {
  describe('AWS Nitro documents', () => {
    const at = (text: string | undefined): number => {
      const seconds = parseRfc3339(`${(text ?? '').slice(0, 19)}Z`)
      if (seconds === undefined) throw new TypeError(`verificationTime ${text}`)
      return seconds
    }
    const file = 'attestation.cbor'

    it('are all here', () => {
      expect(rows('nitro-attestation').map((r) => r.id)).toHaveLength(5)
    })

    it.each(rows('nitro-attestation').map((row) => [row.id, row] as const))('%s', async (_, { path }) => {
      const about = evidenceJson<Case>(`${path}/case.json`)
      const now = at(about.verificationTime)
      const debug = about.verifiedHere.debug === true
      const decision = await judged(path, { file, now })
      // Authentic all of them, as their authors say; what an enclave in debug mode is worth is another matter.
      expect(decision.items[0]?.claims).toMatchObject({ kind: 'aws/nitro', nonce: about.nonce ?? undefined })
      expect(codesIn(decision)).toEqual(debug ? ['NITRO_DEBUG'] : ['POLICY_MISSING'])
      expect([decision.verdict, decision.level, decision.injectedAnchors]).toEqual([
        debug ? 'reject' : 'inconclusive',
        0,
        [],
      ])

      const asked = await judged(path, { file, now, nonce: '07'.repeat(64) })
      expect(codesIn(asked)).toContain('BIND_NONCE_MISMATCH')
      expect(asked.verdict).toBe('reject')

      const late = await judged(path, { file, now: now + 3 * 3600 + 60 })
      expect(codesIn(late)).toEqual(['NITRO_TIMESTAMP'])

      const ruled = await judged(path, { file, now, withPolicy: true })
      expect(codesIn(ruled)).toContain('POLICY_KIND_NOT_COVERED')
      expect([ruled.verdict, ruled.level]).toEqual(['reject', 0])
    })
  })

  describe('Arm CCA tokens', () => {
    const jwk = (path: string): string =>
      pem(
        new Uint8Array(
          createPublicKey({ key: { ...evidenceJson<Jwk>(path) }, format: 'jwk' }).export({
            type: 'spki',
            format: 'der',
          }),
        ),
        'PUBLIC KEY',
      )
    /** The key beside the token; the end-to-end case names it in its endorsements, and it is the key of its neighbour. */
    const keyOf = (path: string): string => {
      if (hasEvidence(`${path}/cpak.pub.pem`)) return Buffer.from(evidence(`${path}/cpak.pub.pem`)).toString('latin1')
      const own = `${path}/iak.jwk.json`
      return jwk(hasEvidence(own) ? own : 'tpm-and-clouds/cca-veraison-good/iak.jwk.json')
    }
    const file = 'token.cbor'
    const now = 1_790_000_000

    it('are all here', () => {
      expect(rows('cca-token').map((r) => r.id)).toHaveLength(7)
    })

    it.each(rows('cca-token').map((row) => [row.id, row] as const))('%s', async (_, row) => {
      const { path } = row
      const keys = [keyOf(path)]
      const decision = await judged(path, { file, keys, now })
      if (row.expect === 'reject') {
        expect(codesIn(decision)).toEqual(['CBOR_UNEXPECTED_ITEM'])
        expect(decision.items[0]?.claims).toBeUndefined()
        return
      }
      const { nonce } = evidenceJson<Case>(`${path}/case.json`)
      if (typeof nonce !== 'string') throw new TypeError('an accepted token has a challenge')
      expect(codesIn(decision)).toEqual(['POLICY_MISSING'])
      expect(decision.items[0]?.claims).toMatchObject({ kind: 'arm/cca-token', challenge: nonce })
      expect([decision.verdict, decision.level, decision.injectedAnchors.length]).toEqual(['inconclusive', 0, 1])

      expect(codesIn(await judged(path, { file, keys, now, nonce }))).toEqual(['POLICY_MISSING'])
      const other = `${nonce.slice(0, -1)}${nonce.endsWith('0') ? '1' : '0'}`
      expect(codesIn(await judged(path, { file, keys, now, nonce: other }))).toEqual(['BIND_NONCE_MISMATCH'])

      const keyless = await judged(path, { file, now })
      expect(codesIn(keyless)).toEqual(['CCA_PLATFORM_KEY_UNAVAILABLE', 'POLICY_MISSING'])
      expect([keyless.verdict, keyless.items[0]?.claims]).toEqual(['inconclusive', undefined])
      const stranger = jwk(
        `tpm-and-clouds/${path.includes('rmm') ? 'cca-veraison-good/iak' : 'cca-ccatoken-testgoodccatoken/alt-iak'}.jwk.json`,
      )
      expect(codesIn(await judged(path, { file, keys: [stranger], now }))).toEqual(['CCA_PLATFORM_SIGNATURE_INVALID'])

      const ruled = await judged(path, { file, keys, now, withPolicy: true })
      expect(codesIn(ruled)).toContain('POLICY_KIND_NOT_COVERED')
      expect([ruled.verdict, ruled.level]).toEqual(['reject', 0])
    })
  })

  // Claim sets as JSON, whose names tell the verdict: written as CBOR into a token of ours, they are read or refused.
  describe('Arm CCA claim sets', () => {
    const folder = 'tpm-and-clouds/cca-claims-json'
    const { files } = evidenceJson<{ readonly files: readonly string[] }>(`${folder}/case.json`)
    const VALID = ['platform--test-token-valid-full.json', 'realm--test-cca-claims-all-valid.json']
    /** Wrong as JSON alone: base64 with a tail. */
    const NO_BASE64 = 'platform--test-sw-components-invalid-combo.json'
    /** Read, and then refused for its lifecycle. */
    const UNSECURED = 'platform--test-lifecycle-invalid.json'

    it('are all here', () => {
      expect(files).toHaveLength(29)
      expect(files).toEqual(expect.arrayContaining([...VALID, NO_BASE64, UNSECURED]))
    })

    it.each(files.filter((file) => file !== NO_BASE64))('%s', (file) => {
      const half = file.startsWith('realm') ? 'realm' : 'platform'
      const claims = Object.entries(evidenceJson<Record<string, unknown>>(`${folder}/${file}`)).map(claimOf)
      const { token } = ccaToken('claims', {
        realmKey: 'point',
        plan: (plan) => ({ ...plan, [half]: { ...plan[half], claims } }),
      })
      const decoded = decodeCcaToken(token, 'token')
      const codes = decoded.ok ? [] : decoded.faults.map((f) => f.code)
      expect(codes).toEqual(VALID.includes(file) || file === UNSECURED ? [] : ['CCA_TOKEN_INVALID'])
      if (file === UNSECURED) expect(decoded.ok && decoded.value.value.platform.lifecycle >> 8).toBe(0x7f)
    })

    it(`${NO_BASE64} cannot even be written down`, () => {
      const [, components] = /"cca-platform-sw-components": (\[[^\]]*\])/.exec(
        Buffer.from(evidence(`${folder}/${NO_BASE64}`)).toString('utf8'),
      ) ?? ['', '[]']
      const [first] = JSON.parse(components) as { readonly 'signer-id': string }[]
      expect(fromBase64(first?.['signer-id'] ?? '', 'signer-id').ok).toBe(false)
    })
  })
})

const LABELS: Readonly<Record<string, number>> = {
  'cca-platform-profile': 265,
  'cca-platform-challenge': 10,
  'cca-platform-implementation-id': 2396,
  'cca-platform-instance-id': 256,
  'cca-platform-config': 2401,
  'cca-platform-lifecycle': 2395,
  'cca-platform-sw-components': 2399,
  'cca-platform-service-indicator': 2400,
  'cca-platform-hash-algo-id': 2402,
  'measurement-type': 1,
  'measurement-value': 2,
  'signer-id': 5,
  'cca-realm-challenge': 10,
  'cca-realm-personalization-value': 44235,
  'cca-realm-initial-measurement': 44238,
  'cca-realm-extensible-measurements': 44239,
  'cca-realm-hash-algo-id': 44236,
  'cca-realm-public-key': 44237,
  'cca-realm-public-key-hash-algo-id': 44240,
}
const IS_TEXT = /profile|service-indicator|algo-id|measurement-type/

/** One claim as CBOR; claims of other schemes get labels of their own. */
function claimOf([name, value]: readonly [string, unknown]): cbor.CborEntry {
  const label = LABELS[name] ?? 70_000 + name.length
  return [cbor.cborInt(label), cborOf(name, value)]
}

function cborOf(name: string, value: unknown): Uint8Array {
  if (typeof value === 'number') return cbor.cborInt(value)
  if (Array.isArray(value)) return cbor.cborArray(...value.map((entry) => cborOf(name, entry)))
  if (typeof value === 'object' && value !== null) return cbor.cborMap(Object.entries(value).map(claimOf))
  if (IS_TEXT.test(name)) return cbor.cborText(String(value))
  const bytes = fromBase64(String(value), name)
  if (!bytes.ok) throw new TypeError(`${name} is not base64`)
  // The sets' key has the right length and is no point on any curve; a point stands in for it.
  const isKey = name === 'cca-realm-public-key' && bytes.value.length === 97
  return cbor.cborBytes(isKey ? (ecKey('P-384', 'claims').publicPoint ?? bytes.value) : bytes.value)
}
