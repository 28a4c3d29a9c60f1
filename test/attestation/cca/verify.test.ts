import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { cca } from '../../../src/attestation/cca/index.ts'
import { sortCollateral } from '../../../src/attestation/collateral.ts'
import type { ItemJudgement } from '../../../src/attestation/kind.ts'
import { utf8 } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import { Context, createVerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { CCA_FAULTS, type CcaFault, type CcaSpec, ccaToken, ecKey, pem } from '../../../src/testing/index.ts'

const SEED = 'cca'
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function judgeBytes(
  token: Uint8Array,
  keys: readonly string[],
  origin: 'verifier' | 'evidence' = 'verifier',
): Promise<{ judgement: ItemJudgement; context: Context }> {
  const context = new Context({ now: 0, anchors: [], crypto: nodeCrypto, cache: createVerificationCache() })
  const files = keys.map((text, i) => ({ name: `key-${i}`, bytes: utf8(text) }))
  const { collateral } = await sortCollateral(context, files, origin)
  const item = { id: 'cpu', kind: 'arm/cca-token', bytes: token, endorsements: [] } as const
  return { judgement: await cca.verify(item, collateral, context), context }
}

async function judge(spec: CcaSpec = {}): Promise<ItemJudgement> {
  const { token, platformKeyPem } = ccaToken(SEED, spec)
  return (await judgeBytes(token, [platformKeyPem])).judgement
}

const codesIn = ({ faults }: ItemJudgement): readonly string[] => faults.map((f) => f.code)
const other = (n: number): string => pem(ecKey('P-384', `other/${n}`).spki, 'PUBLIC KEY')

describe('verifyCcaToken', () => {
  it.each<CcaSpec>([
    {},
    { collection: 'legacy' },
    { platformKey: 'P-256' },
    { realmKey: 'point' },
    { lifecycle: 0x3003 },
    { lifecycle: 0x30ff },
    { collection: 'legacy', platformKey: 'P-256', realmKey: 'point' },
  ])('proves %j', async (spec) => {
    const judgement = await judge({ ...spec, challenge: new Uint8Array(64).fill(7) })
    const { spki } = ccaToken(SEED, spec).platformKey
    expect(judgement).toMatchObject({
      faults: [],
      hardwareId: `arm-cca:${sha256(spki)}`,
      injectedAnchors: [`arm/cpak#${sha256(spki).slice(0, 8)}`],
      collateral: [{ kind: 'cca-platform-key', digest: sha256(spki), issuedAt: undefined }],
    })
    expect(judgement.claims?.value).toMatchObject({
      kind: 'arm/cca-token',
      challenge: '07'.repeat(64),
      lifecycle: spec.lifecycle ?? 0x3000,
      realmProfile: spec.realmKey === 'point' ? undefined : 'tag:arm.com,2023:realm#1.0.0',
      publicKey: toHex(ecKey('P-384', `cca/${SEED}/rak`).spki),
      swComponents: [{ type: 'BL' }, { type: 'M1' }, { type: 'M2' }, { type: 'M3', version: '1.0.0' }],
    })
  })

  it('finds the platform’s key among others, of both curves', async () => {
    const { token, platformKeyPem } = ccaToken(SEED)
    const p256 = pem(ecKey('P-256', 'other').spki, 'PUBLIC KEY')
    expect(codesIn((await judgeBytes(token, [other(1), p256, platformKeyPem])).judgement)).toEqual([])
    expect(codesIn((await judgeBytes(token, [`${other(1)}${platformKeyPem}`])).judgement)).toEqual([])
  })

  it('knows nothing without a platform key', async () => {
    const { token } = ccaToken(SEED)
    const { judgement } = await judgeBytes(token, [])
    expect(codesIn(judgement)).toEqual(['CCA_PLATFORM_KEY_UNAVAILABLE'])
    expect([judgement.claims, judgement.hardwareId]).toEqual([undefined, undefined])
  })

  it('does not take the platform key that the sender laid beside the token', async () => {
    const { token, platformKeyPem } = ccaToken(SEED)
    const { judgement } = await judgeBytes(token, [platformKeyPem], 'evidence')
    expect(codesIn(judgement)).toEqual(['CCA_PLATFORM_KEY_UNAVAILABLE'])
  })

  it('refuses a token of a platform that nobody endorsed', async () => {
    const { token } = ccaToken(SEED)
    expect(codesIn((await judgeBytes(token, [other(1), other(2)])).judgement)).toEqual([
      'CCA_PLATFORM_SIGNATURE_INVALID',
    ])
  })

  it('charges every key that is tried to the evidence', async () => {
    const { token } = ccaToken(SEED)
    const few = Array.from({ length: 64 }, (_, i) => other(i))
    expect((await judgeBytes(token, few)).context.overBudget).toBe(false)
    expect((await judgeBytes(token, [...few, other(64)])).context.overBudget).toBe(true)
  })

  it('proves a token of an unsecured platform and refuses it beside its claims', async () => {
    const judgement = await judge({ lifecycle: 0x4000 })
    expect(codesIn(judgement)).toEqual(['CCA_LIFECYCLE'])
    expect(judgement.claims?.value.kind).toBe('arm/cca-token')
  })

  // Those of a row are judged end to end in the catalogue.
  const CODES: Partial<Record<CcaFault, Code>> = {
    'platform-other-key': 'CCA_PLATFORM_SIGNATURE_INVALID',
    'platform-realm-key': 'CCA_PLATFORM_SIGNATURE_INVALID',
    'realm-other-key': 'COSE_SIGNATURE_INVALID',
    'platform-untagged': 'COSE_MALFORMED',
    'content-format': 'CCA_TOKEN_INVALID',
    'profiles-swapped': 'CCA_TOKEN_INVALID',
    'realm-profile-unknown': 'CCA_TOKEN_INVALID',
    'realm-profile-missing': 'CCA_TOKEN_INVALID',
    'challenge-of-32': 'CCA_TOKEN_INVALID',
    'rak-hash-sha1': 'CCA_TOKEN_INVALID',
    'rem-of-three': 'CCA_TOKEN_INVALID',
    'rem-of-five': 'CCA_TOKEN_INVALID',
    'no-components': 'CCA_TOKEN_INVALID',
    'instance-of-32': 'CCA_TOKEN_INVALID',
    'lifecycle-missing': 'CCA_TOKEN_INVALID',
    'lifecycle-too-large': 'CCA_TOKEN_INVALID',
    'rak-off-curve': 'CCA_TOKEN_INVALID',
  }
  it.each(Object.entries(CODES) as [CcaFault, Code][])('refuses %s with %s', async (wrong, code) => {
    const judgement = await judge({ wrong })
    expect(codesIn(judgement)).toEqual([code])
    expect(judgement.claims).toBeUndefined()
  })

  it('knows each fault of the kit, by a row or by the table above', () => {
    const loose = Object.entries(CCA_FAULTS).filter(([name, fault]) => !('row' in fault) && !(name in CODES))
    expect(loose.map(([name]) => name)).toEqual([])
  })
})
