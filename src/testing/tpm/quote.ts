import { concatBytes } from '../../core/bytes.ts'
import { toBase64, toHex } from '../../core/encodings.ts'
import { seededBytes } from '../nvidia/bytes.ts'
import { ecKey, rsaKey, type TestKey } from '../pki/keys.ts'
import { digest } from '../pki/pss.ts'
import { extendedPcrs, type TestTpmEvent, type TpmLogForm, tpmBoot, tpmLogBytes } from './event-log.ts'
import { TPM_FAULTS, type TpmFault } from './faults.ts'
import { type TpmCertificateForm, tpmKeyCertificate, tpmMaker } from './pki.ts'
import {
  attestBytes,
  nameBytes,
  publicAreaBytes,
  signatureBytes,
  type TestAttest,
  type TestBank,
  type TestScheme,
  TPM_ALG,
  testHashName,
} from './structures.ts'

export type TpmKeyKind = 'ecdsa-p256' | 'ecdsa-p384' | 'rsassa' | 'rsapss'

/** Everything that a quote is made of, for faults to change before or after it is signed. */
export interface TpmPlan {
  readonly seed: string
  readonly key: TestKey
  /** scheme and hash that the key was created with and signs with */
  readonly scheme: TestScheme
  /** what the TPMT_SIGNATURE says instead */
  readonly toldScheme: TestScheme | undefined
  readonly attributes: number
  readonly attest: Omit<TestAttest, 'pcrDigest'>
  /** values by bank and PCR: all that the TPM has */
  readonly values: Readonly<Partial<Record<TestBank, Readonly<Record<number, Uint8Array>>>>>
  readonly editAttest: (attest: Uint8Array) => Uint8Array
  readonly editSent: (attest: Uint8Array) => Uint8Array
  readonly editSignature: (signature: Uint8Array) => Uint8Array
  readonly editPublic: (area: Uint8Array) => Uint8Array
  /** values as they are shown, from those that are quoted */
  readonly editShown: (shown: ShownPcrs) => ShownPcrs
  readonly certificate: TpmCertificateForm
  /** who issues the certificate; another seed is a stranger */
  readonly makerSeed: string
  readonly certifiedKey: TestKey
  /** as the log tells them; what was measured stands in `values` */
  readonly events: readonly TestTpmEvent[]
  readonly logBanks: readonly TestBank[]
  readonly logForm: TpmLogForm
  readonly editLog: (log: Uint8Array) => Uint8Array
}

export type ShownPcrs = Readonly<Record<string, Readonly<Record<string, string>>>>

export interface TpmSpec {
  readonly nonce?: Uint8Array
  readonly key?: TpmKeyKind
  /** in place of a key of this seed */
  readonly signer?: TestKey
  readonly banks?: readonly TestBank[]
  readonly pcrs?: readonly number[]
  readonly secureBoot?: boolean
  readonly resetCount?: number
  readonly restartCount?: number
  readonly clockSafe?: boolean
  readonly certificate?: TpmCertificateForm
  readonly wrong?: TpmFault
  /** any change to the making; applied before `wrong` */
  readonly plan?: (plan: TpmPlan) => TpmPlan
}

export interface TpmEvidence {
  /** members of `vouchsafe/tpm-quote/1`, without certificates and log */
  readonly quote: { readonly [name: string]: string | ShownPcrs }
  readonly attest: Uint8Array
  readonly signature: Uint8Array
  readonly akPublic: Uint8Array
  /** Name of the attestation key, hex */
  readonly akName: string
  readonly key: TestKey
  /** leaf and authority, DER */
  readonly certificates: readonly [Uint8Array, Uint8Array]
  /** root of the maker, DER, to be injected */
  readonly root: Uint8Array
  readonly eventLog: Uint8Array
  /** quoted values as they are shown, hex by bank and PCR */
  readonly shown: ShownPcrs
}

/** fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign: what tpm2_createak makes. */
export const AK_ATTRIBUTES = 0x00050072

const SCHEMES: Readonly<Record<TpmKeyKind, TestScheme>> = {
  'ecdsa-p256': { scheme: TPM_ALG.ecdsa, hash: TPM_ALG.sha256 },
  'ecdsa-p384': { scheme: TPM_ALG.ecdsa, hash: TPM_ALG.sha384 },
  rsassa: { scheme: TPM_ALG.rsassa, hash: TPM_ALG.sha256 },
  rsapss: { scheme: TPM_ALG.rsapss, hash: TPM_ALG.sha256 },
}

function keyOf(seed: string, kind: TpmKeyKind): TestKey {
  if (kind === 'ecdsa-p256') return ecKey('P-256', `tpm/${seed}/ak`)
  return kind === 'ecdsa-p384' ? ecKey('P-384', `tpm/${seed}/ak`) : rsaKey('small-2048')
}

const DEFAULT_PCRS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]

function valuesOf(seed: string, bank: TestBank, events: readonly TestTpmEvent[]): Readonly<Record<number, Uint8Array>> {
  const extended = extendedPcrs(events, bank)
  const size = extended[0]?.length ?? 32
  const value = (pcr: number): Uint8Array =>
    (pcr < 10 ? extended[pcr] : undefined) ?? seededBytes(seed, `tpm/${bank}/pcr${pcr}`, size)
  return Object.fromEntries(Array.from({ length: 24 }, (_, pcr) => [pcr, value(pcr)]))
}

/** A quote of a TPM of our own. The same seed and specification give the same bytes. */
export function tpmQuote(seed: string, spec: TpmSpec = {}): TpmEvidence {
  const kind = spec.key ?? 'ecdsa-p256'
  const events = tpmBoot(spec.secureBoot ?? true)
  const banks = spec.banks ?? ['sha256']
  const key = spec.signer ?? keyOf(seed, kind)
  const plain: TpmPlan = {
    ...{ seed, key, events, scheme: SCHEMES[kind], toldScheme: undefined, attributes: AK_ATTRIBUTES },
    attest: {
      ...{ magic: 0xff544347, type: 0x8018, extraData: spec.nonce ?? new Uint8Array(32) },
      qualifiedSigner: concatBytes(Uint8Array.of(0, 0x0b), seededBytes(seed, 'tpm/qualified', 32)),
      ...{ clock: 71596, resetCount: spec.resetCount ?? 7, restartCount: spec.restartCount ?? 0 },
      safe: spec.clockSafe === false ? 0 : 1,
      selections: banks.map((bank) => ({ algorithm: TPM_ALG[bank], pcrs: spec.pcrs ?? DEFAULT_PCRS })),
    },
    values: Object.fromEntries((['sha1', 'sha256', 'sha384'] as const).map((b) => [b, valuesOf(seed, b, events)])),
    editAttest: (bytes) => bytes,
    editSent: (bytes) => bytes,
    editSignature: (bytes) => bytes,
    editPublic: (bytes) => bytes,
    editShown: (shown) => shown,
    editLog: (bytes) => bytes,
    ...{ certificate: spec.certificate ?? {}, makerSeed: seed, certifiedKey: key },
    ...{ logBanks: ['sha1', 'sha256', 'sha384'], logForm: {} },
  }
  const planned = spec.plan?.(plain) ?? plain
  return made(spec.wrong === undefined ? planned : TPM_FAULTS[spec.wrong].apply(planned))
}

function made(plan: TpmPlan): TpmEvidence {
  const quoted = plan.attest.selections.map(({ algorithm, pcrs }) => ({
    bank: testHashName(algorithm),
    values: [...new Set(pcrs)]
      .sort((a, b) => a - b)
      .map((pcr) => [pcr, valueIn(plan, testHashName(algorithm), pcr)] as const),
  }))
  const pcrDigest = digest(testHashName(plan.scheme.hash), ...quoted.flatMap((q) => q.values.map(([, value]) => value)))
  const attest = plan.editAttest(attestBytes({ ...plan.attest, pcrDigest }))
  const signature = plan.editSignature(signatureBytes(plan.key, attest, plan.scheme, plan.toldScheme))
  const akPublic = plan.editPublic(publicAreaBytes(plan.key, plan.attributes, plan.scheme))
  const shown = plan.editShown(
    Object.fromEntries(
      quoted.map(({ bank, values }) => [bank, Object.fromEntries(values.map(([pcr, v]) => [String(pcr), toHex(v)]))]),
    ),
  )
  const maker = tpmMaker(plan.makerSeed)
  const sent = plan.editSent(attest)
  return {
    quote: {
      format: 'vouchsafe/tpm-quote/1',
      attest: toBase64(sent),
      signature: toBase64(signature),
      akPublic: toBase64(akPublic),
      pcrs: shown,
    },
    ...{ attest: sent, signature, akPublic, key: plan.key, shown },
    akName: toHex(nameBytes(akPublic)),
    certificates: [tpmKeyCertificate(maker, plan.certifiedKey, plan.certificate), maker.authority.der],
    root: tpmMaker(plan.seed).root.der,
    eventLog: plan.editLog(tpmLogBytes(plan.events, plan.logBanks, plan.logForm)),
  }
}

function valueIn({ values }: TpmPlan, bank: TestBank, pcr: number): Uint8Array {
  const value = values[bank]?.[pcr]
  if (value === undefined) throw new TypeError(`no value of PCR ${pcr} in ${bank}`)
  return value
}
