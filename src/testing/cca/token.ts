import { createHash } from 'node:crypto'
import { seededBytes } from '../nvidia/bytes.ts'
import { type CborEntry, cborArray, cborBytes, cborInt, cborMap, cborTag, cborText, withEntry } from '../pki/cbor.ts'
import { algHeader, COSE, type CoseSign1Spec, coseSign1 } from '../pki/cose.ts'
import { ecKey, type TestKey } from '../pki/keys.ts'
import { pem } from '../pki/pem.ts'
import { CCA_FAULTS, type CcaFault } from './faults.ts'

/** Labels of the claims that the kit writes (Arm DEN0137). */
export const CCA_CLAIM = {
  challenge: 10,
  instanceId: 256,
  profile: 265,
  lifecycle: 2395,
  implementationId: 2396,
  swComponents: 2399,
  verificationService: 2400,
  config: 2401,
  hashAlgorithm: 2402,
  personalizationValue: 44235,
  realmHashAlgorithm: 44236,
  publicKey: 44237,
  initialMeasurement: 44238,
  extensibleMeasurements: 44239,
  publicKeyHashAlgorithm: 44240,
} as const

/** One of the two signed halves. */
export interface CcaHalf {
  readonly claims: readonly CborEntry[]
  readonly writeMap: (entries: readonly CborEntry[]) => Uint8Array
  readonly sign1: Omit<CoseSign1Spec, 'payload'>
}

/** Everything that a token is made of, for faults to change before it is signed. */
export interface CcaPlan {
  readonly seed: string
  readonly platform: CcaHalf
  readonly realm: CcaHalf
  /** how the two signed halves become one token */
  readonly collect: (platform: Uint8Array, realm: Uint8Array) => Uint8Array
  /** what happens to the token after it was signed */
  readonly editToken: (token: Uint8Array) => Uint8Array
}

export interface CcaSpec {
  /** 64 bytes; zeros unless given */
  readonly challenge?: Uint8Array
  /** `cmw` (tag 907) unless given; `legacy` is tag 399 */
  readonly collection?: 'cmw' | 'legacy'
  /** P-384 unless given */
  readonly platformKey?: 'P-256' | 'P-384'
  /** The realm's key as a COSE_Key under a profile (the default), or as a bare point without one. */
  readonly realmKey?: 'COSE_Key' | 'point'
  /** 0x3000 unless given */
  readonly lifecycle?: number
  readonly wrong?: CcaFault
  /** any change to the making; applied before `wrong` */
  readonly plan?: (plan: CcaPlan) => CcaPlan
}

export interface CcaEvidence {
  readonly token: Uint8Array
  /** the platform's public key (CPAK) as a verifier would be given it, PEM */
  readonly platformKeyPem: string
  readonly platformKey: TestKey
}

export const CCA_TAG = { cmw: 907, legacy: 399 } as const
export const CCA_ENTRY = { platform: 44234, realm: 44241 } as const

const claim = (label: number, value: Uint8Array): CborEntry => [cborInt(label), value]

/** The claim of a realm's key, in one of its two forms. */
export function realmKeyClaim(key: TestKey, form: 'COSE_Key' | 'point'): Uint8Array {
  const point = key.publicPoint ?? new Uint8Array()
  if (form === 'point') return point
  const size = (point.length - 1) / 2
  return cborMap([
    [cborInt(1), cborInt(2)],
    [cborInt(-1), cborInt(size === 48 ? 2 : 1)],
    [cborInt(-2), cborBytes(point.subarray(1, 1 + size))],
    [cborInt(-3), cborBytes(point.subarray(1 + size))],
  ])
}

/** What the platform token's challenge must be for a realm's key. */
export const binderOf = (claim: Uint8Array, hash: 'sha256' | 'sha512'): Uint8Array =>
  new Uint8Array(createHash(hash).update(claim).digest())

const plainHalf = (claims: readonly CborEntry[], signer: TestKey): CcaHalf => ({
  claims,
  writeMap: cborMap,
  sign1: {
    protectedHeader: algHeader(signer.kind === 'P-256' ? COSE.ES256 : COSE.ES384),
    unprotectedHeader: [],
    signer,
    externalAad: new Uint8Array(),
    isTagged: true,
    signature: (raw) => raw,
  },
})

const COLLECT: Readonly<Record<keyof typeof CCA_TAG, CcaPlan['collect']>> = {
  legacy: (platform, realm) =>
    cborTag(
      CCA_TAG.legacy,
      cborMap([claim(CCA_ENTRY.platform, cborBytes(platform)), claim(CCA_ENTRY.realm, cborBytes(realm))]),
    ),
  cmw: (platform, realm) => {
    const record = (token: Uint8Array) => cborArray(cborInt(263), cborBytes(token))
    return cborTag(
      CCA_TAG.cmw,
      cborMap([claim(CCA_ENTRY.platform, record(platform)), claim(CCA_ENTRY.realm, record(realm))]),
    )
  },
}

/** An Arm CCA token under keys of our own. The same seed and specification give the same bytes. */
export function ccaToken(seed: string, spec: CcaSpec = {}): CcaEvidence {
  const platformKey = ecKey(spec.platformKey ?? 'P-384', `cca/${seed}/cpak`)
  const realmKey = ecKey('P-384', `cca/${seed}/rak`)
  const form = spec.realmKey ?? 'COSE_Key'
  const key = realmKeyClaim(realmKey, form)
  const of = (label: string, length: number) => cborBytes(seededBytes(seed, `cca/${label}`, length))
  const platform = [
    claim(CCA_CLAIM.profile, cborText('tag:arm.com,2023:cca_platform#1.0.0')),
    claim(CCA_CLAIM.challenge, cborBytes(binderOf(key, 'sha256'))),
    claim(CCA_CLAIM.implementationId, of('implementation', 32)),
    claim(CCA_CLAIM.instanceId, cborBytes(Uint8Array.of(1, ...seededBytes(seed, 'cca/instance', 32)))),
    claim(CCA_CLAIM.config, of('config', 4)),
    claim(CCA_CLAIM.lifecycle, cborInt(spec.lifecycle ?? 0x3000)),
    claim(CCA_CLAIM.swComponents, cborArray(...['BL', 'M1', 'M2', 'M3'].map((name) => component(seed, name)))),
    claim(CCA_CLAIM.verificationService, cborText('https://example.org/cca')),
    claim(CCA_CLAIM.hashAlgorithm, cborText('sha-256')),
  ]
  const realm = [
    ...(form === 'COSE_Key' ? [claim(CCA_CLAIM.profile, cborText('tag:arm.com,2023:realm#1.0.0'))] : []),
    claim(CCA_CLAIM.challenge, cborBytes(spec.challenge ?? new Uint8Array(64))),
    claim(CCA_CLAIM.personalizationValue, of('personalization', 64)),
    claim(CCA_CLAIM.initialMeasurement, of('rim', 32)),
    claim(CCA_CLAIM.extensibleMeasurements, cborArray(...[0, 1, 2, 3].map((i) => of(`rem${i}`, 32)))),
    claim(CCA_CLAIM.realmHashAlgorithm, cborText('sha-256')),
    claim(CCA_CLAIM.publicKey, cborBytes(key)),
    claim(CCA_CLAIM.publicKeyHashAlgorithm, cborText('sha-256')),
  ]
  const plain: CcaPlan = {
    seed,
    platform: plainHalf(platform, platformKey),
    realm: plainHalf(realm, realmKey),
    collect: COLLECT[spec.collection ?? 'cmw'],
    editToken: (token) => token,
  }
  const planned = spec.plan?.(plain) ?? plain
  const plan = spec.wrong === undefined ? planned : CCA_FAULTS[spec.wrong].apply(planned)
  const signed = ({ claims, writeMap, sign1 }: CcaHalf) => coseSign1({ ...sign1, payload: writeMap(claims) })
  return {
    token: plan.editToken(plan.collect(signed(plan.platform), signed(plan.realm))),
    platformKeyPem: pem(platformKey.spki, 'PUBLIC KEY'),
    platformKey,
  }
}

const component = (seed: string, name: string): Uint8Array =>
  cborMap([
    claim(1, cborText(name)),
    claim(5, cborBytes(seededBytes(seed, 'cca/signer', 32))),
    claim(2, cborBytes(seededBytes(seed, `cca/${name}`, 32))),
    claim(4, cborText('1.0.0')),
    claim(6, cborText('sha-256')),
  ])

/** One claim of one half with another value. */
export const withClaim =
  (half: 'platform' | 'realm', label: number, value: Uint8Array) =>
  (plan: CcaPlan): CcaPlan => ({
    ...plan,
    [half]: { ...plan[half], claims: withEntry(plan[half].claims, cborInt(label), value) },
  })
