import { createHash } from 'node:crypto'
import { concatBytes, utf8 } from '../../core/bytes.ts'
import { seededBytes } from '../nvidia/bytes.ts'
import { type CborEntry, cborArray, cborBytes, cborInt, cborMap, cborNull, cborText, withEntry } from '../pki/cbor.ts'
import { algHeader, COSE, type CoseSign1Spec, coseSign1 } from '../pki/cose.ts'
import { NITRO_FAULTS, type NitroFault } from './faults.ts'
import { INSTANCE_ID, MODULE_ID, type NitroChain, nitroChain } from './pki.ts'

/** Everything that a document is made of, for faults to change before it is signed. */
export interface NitroPlan {
  readonly seed: string
  /** seconds since 1970 */
  readonly at: number
  readonly chain: NitroChain
  /** members of the payload, in the order in which they are written */
  readonly payload: readonly CborEntry[]
  /** PCRs by index, in the order in which they are written */
  readonly pcrs: readonly CborEntry[]
  /** how the payload's map is written */
  readonly writeMap: (entries: readonly CborEntry[]) => Uint8Array
  /** what else happens to the payload before it is signed */
  readonly editPayload: (payload: Uint8Array) => Uint8Array
  readonly sign1: Omit<CoseSign1Spec, 'payload'>
  /** what happens to the document after it was signed */
  readonly editDocument: (document: Uint8Array) => Uint8Array
}

export interface NitroSpec {
  /** RFC 3339, whole seconds. `NITRO_TEST_TIME` unless given. */
  readonly at?: string
  readonly nonce?: Uint8Array | null
  readonly userData?: Uint8Array | null
  readonly publicKey?: Uint8Array | null
  readonly wrong?: NitroFault
  /** any change to the making; applied before `wrong` */
  readonly plan?: (plan: NitroPlan) => NitroPlan
}

export interface NitroEvidence {
  readonly document: Uint8Array
  /** the hierarchy's root, DER, to be injected */
  readonly root: Uint8Array
  readonly chain: NitroChain
  /** values of PCRs 0 to 15, by index */
  readonly pcrs: readonly Uint8Array[]
}

export const NITRO_TEST_TIME = '2026-08-01T00:00:00Z'

export const nitroKey = (name: string): Uint8Array => cborText(name)
const orNull = (value: Uint8Array | null | undefined): Uint8Array =>
  value === null || value === undefined ? cborNull : cborBytes(value)

/** PCR 4 is what the instance's id was extended into; 5 to 7 and 9 to 15 are unused. */
function pcrsOf(seed: string): readonly Uint8Array[] {
  const unused = new Uint8Array(48)
  const instance = createHash('sha384')
    .update(concatBytes(unused, utf8(INSTANCE_ID)))
    .digest()
  return Array.from({ length: 16 }, (_, i) => {
    if (i === 4) return new Uint8Array(instance)
    return i < 4 || i === 8 ? seededBytes(seed, `nitro/pcr${i}`, 48) : unused
  })
}

/** A Nitro attestation document under a hierarchy of our own. The same seed and specification give the same bytes. */
export function nitroDocument(seed: string, spec: NitroSpec = {}): NitroEvidence {
  const at = Date.parse(spec.at ?? NITRO_TEST_TIME) / 1000
  const chain = nitroChain(seed, at)
  const pcrs = pcrsOf(seed)
  const plain: NitroPlan = {
    ...{ seed, at, chain },
    pcrs: pcrs.map((pcr, i) => [cborInt(i), cborBytes(pcr)]),
    payload: [
      [nitroKey('module_id'), cborText(MODULE_ID)],
      [nitroKey('digest'), cborText('SHA384')],
      [nitroKey('timestamp'), cborInt(at * 1000)],
      [nitroKey('pcrs'), cborNull],
      [nitroKey('certificate'), cborNull],
      [nitroKey('cabundle'), cborNull],
      [nitroKey('public_key'), orNull(spec.publicKey)],
      [nitroKey('user_data'), orNull(spec.userData)],
      [nitroKey('nonce'), orNull(spec.nonce)],
    ],
    writeMap: cborMap,
    editPayload: (payload) => payload,
    sign1: {
      protectedHeader: algHeader(COSE.ES384),
      unprotectedHeader: [],
      signer: chain.leaf.key,
      externalAad: new Uint8Array(),
      isTagged: false,
      signature: (raw) => raw,
    },
    editDocument: (document) => document,
  }
  const planned = spec.plan?.(plain) ?? plain
  const plan = spec.wrong === undefined ? planned : NITRO_FAULTS[spec.wrong].apply(planned)
  return { document: written(plan), root: chain.root.der, chain, pcrs }
}

/** Members that the plan left open are filled in from its chain and PCRs; members that it set stay as they are. */
function written(plan: NitroPlan): Uint8Array {
  const { chain } = plan
  const bundle = [chain.root, chain.region, chain.zone, chain.instance].map(({ der }) => cborBytes(der))
  const open: readonly CborEntry[] = [
    [nitroKey('pcrs'), cborMap(plan.pcrs)],
    [nitroKey('certificate'), cborBytes(chain.leaf.der)],
    [nitroKey('cabundle'), cborArray(...bundle)],
  ]
  const isOpen = (key: Uint8Array) => plan.payload.some(([k, v]) => v === cborNull && Buffer.compare(k, key) === 0)
  const entries = open.reduce((all, [key, value]) => (isOpen(key) ? withEntry(all, key, value) : all), plan.payload)
  return plan.editDocument(coseSign1({ ...plan.sign1, payload: plan.editPayload(plan.writeMap(entries)) }))
}
