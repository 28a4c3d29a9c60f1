import { concatBytes } from '../../core/bytes.ts'
import type { Fault } from '../nvidia/fault.ts'
import {
  cborArray,
  cborBytes,
  cborHead,
  cborIndefiniteMap,
  cborInt,
  cborMap,
  cborTag,
  cborText,
  withEntry,
  withoutEntry,
} from '../pki/cbor.ts'
import { algHeader, COSE } from '../pki/cose.ts'
import { ecKey } from '../pki/keys.ts'
import type { NitroPlan } from './document.ts'
import { NITRO_CHAIN_FAULTS } from './faults-chain.ts'
import { nitroChain } from './pki.ts'

const set =
  (key: string, value: Uint8Array) =>
  (plan: NitroPlan): NitroPlan => ({ ...plan, payload: withEntry(plan.payload, cborText(key), value) })
const drop =
  (key: string) =>
  (plan: NitroPlan): NitroPlan => ({ ...plan, payload: withoutEntry(plan.payload, cborText(key)) })
const pcr =
  (index: number, value: Uint8Array) =>
  (plan: NitroPlan): NitroPlan => ({ ...plan, pcrs: withEntry(plan.pcrs, cborInt(index), cborBytes(value)) })
const sign1 =
  (change: Partial<NitroPlan['sign1']>) =>
  (plan: NitroPlan): NitroPlan => ({ ...plan, sign1: { ...plan.sign1, ...change } })
const after =
  (edit: NitroPlan['editDocument']) =>
  (plan: NitroPlan): NitroPlan => ({ ...plan, editDocument: edit })
const later = (seconds: number) => (plan: NitroPlan) => set('timestamp', cborInt((plan.at + seconds) * 1000))(plan)

const ZERO = new Uint8Array(48)
const HOURS = 3600
/** `depth` arrays, one in the other. */
const nested = (depth: number): Uint8Array => new Uint8Array(depth).fill(0x81, 0, depth - 1).fill(0x80, depth - 1)

/** Faults of the encoding; each document is validly signed. */
const ENCODING = {
  'pcr-twice': {
    what: 'PCR 0 twice, the second with another value',
    row: 'RJ-CB-01',
    apply: (plan) => ({ ...plan, pcrs: [...plan.pcrs, [cborInt(0), cborBytes(ZERO.map(() => 1))]] }),
  },
  'member-twice': {
    what: 'the same member of the payload twice, with the same value',
    row: 'RJ-CB-01',
    apply: (plan) => ({ ...plan, payload: [...plan.payload, ...plan.payload.slice(1, 2)] }),
  },
  'trailing-byte': {
    what: 'a byte after the document',
    row: 'RJ-CB-02',
    apply: after((document) => concatBytes(document, Uint8Array.of(0))),
  },
  'payload-trailing-byte': {
    what: 'a byte after the payload map, under the signature',
    row: 'RJ-CB-02',
    apply: (plan) => ({ ...plan, editPayload: (payload) => concatBytes(payload, Uint8Array.of(0xf6)) }),
  },
  'indefinite-map': {
    what: 'the payload as a map of indefinite length',
    row: 'RJ-CB-03',
    apply: (plan) => ({ ...plan, writeMap: cborIndefiniteMap }),
  },
  'indefinite-bytes': {
    what: 'the nonce as a byte string in chunks',
    row: 'RJ-CB-03',
    apply: set('nonce', concatBytes(Uint8Array.of(0x5f), cborBytes(ZERO), Uint8Array.of(0xff))),
  },
  'long-integer': {
    what: 'index 1 in nine bytes',
    row: 'RJ-CB-03',
    apply: (plan) => ({
      ...plan,
      pcrs: plan.pcrs.map(([key, value], i) => [i === 1 ? cborHead(0, 1, 8) : key, value]),
    }),
  },
  'long-length': {
    what: 'the length of a text in two bytes',
    row: 'RJ-CB-03',
    apply: set('digest', concatBytes(cborHead(3, 6, 1), cborText('SHA384').subarray(1))),
  },
  'unsorted-header': {
    what: 'the protected header out of order',
    row: 'RJ-CB-03',
    apply: sign1({ protectedHeader: [[cborInt(COSE.kid), cborBytes(ZERO)], ...algHeader(COSE.ES384)] }),
  },
  'proto-key': {
    what: 'a member called __proto__',
    row: 'RJ-CB-04',
    apply: set('__proto__', cborMap([[cborText('digest'), cborText('SHA384')]])),
  },
  'constructor-key': { what: 'a member called constructor', row: 'RJ-CB-04', apply: set('constructor', cborInt(1)) },
  'unknown-member': { what: 'a member that no document has', row: 'RJ-CB-04', apply: set('debug', cborInt(0)) },
  'unknown-tag': {
    what: 'a date tag around the timestamp',
    row: 'RJ-CB-04',
    apply: set('timestamp', cborTag(1, cborInt(0))),
  },
  'record-tag': {
    what: 'a record of cbor-x (tag 105) as user data',
    row: 'RJ-CB-04',
    apply: set('user_data', cborTag(105, cborArray(cborInt(0), cborArray(cborText('a')), cborInt(1)))),
  },
  'undefined-value': { what: 'undefined as user data', row: 'RJ-CB-04', apply: set('user_data', Uint8Array.of(0xf7)) },
  'float-value': {
    what: 'a float as timestamp',
    row: 'RJ-CB-04',
    apply: set('timestamp', Uint8Array.of(0xfb, 0x42, 0x78, 0, 0, 0, 0, 0, 0)),
  },
  'bytes-key': {
    what: 'a byte string as key',
    row: 'RJ-CB-04',
    apply: (plan) => ({ ...plan, payload: [...plan.payload, [cborBytes(ZERO), cborInt(1)]] }),
  },
  'too-deep': {
    what: '64 arrays in user data, the payload map the 65th level',
    row: 'RJ-CB-05',
    apply: set('user_data', nested(64)),
  },
  'array-beyond': {
    what: 'an array of 2^31 − 1 entries',
    row: 'RJ-CB-05',
    apply: set('user_data', cborHead(4, 0x7fffffff)),
  },
  'bytes-beyond': {
    what: 'a byte string of 2^40 bytes',
    row: 'RJ-CB-05',
    apply: set('user_data', cborHead(2, 2 ** 40)),
  },
} as const satisfies Record<string, Fault<NitroPlan>>

/** Faults of the COSE structure. */
const STRUCTURE = {
  'alg-es256': {
    what: 'ES256 in the header, the signature by the same key',
    row: 'RJ-CB-06',
    apply: sign1({ protectedHeader: algHeader(COSE.ES256) }),
  },
  'alg-es512': {
    what: 'ES512 in the header',
    row: 'RJ-CB-06',
    apply: sign1({ protectedHeader: algHeader(COSE.ES512) }),
  },
  'alg-unprotected': {
    what: 'the algorithm in the unprotected header alone',
    row: 'RJ-CB-06',
    apply: sign1({ protectedHeader: [], unprotectedHeader: algHeader(COSE.ES384) }),
  },
  'alg-both': {
    what: 'the algorithm in both headers',
    row: 'RJ-CB-06',
    apply: sign1({ unprotectedHeader: algHeader(COSE.ES384) }),
  },
  'crit-unknown': {
    what: 'a critical header that nobody knows',
    row: 'RJ-CB-07',
    apply: sign1({
      protectedHeader: [
        ...algHeader(COSE.ES384),
        [cborInt(COSE.crit), cborArray(cborInt(99))],
        [cborInt(99), cborInt(1)],
      ],
    }),
  },
  'crit-alg': {
    what: 'a list of critical headers that names the algorithm alone',
    row: 'RJ-CB-07',
    apply: sign1({ protectedHeader: [...algHeader(COSE.ES384), [cborInt(COSE.crit), cborArray(cborInt(COSE.alg))]] }),
  },
  'unprotected-header': {
    what: 'a header that nobody signs',
    row: 'RJ-CB-07',
    apply: sign1({ unprotectedHeader: [[cborInt(COSE.kid), cborBytes(ZERO)]] }),
  },
  'external-aad': {
    what: 'signed over external data that nobody expects',
    row: 'RJ-CB-07',
    apply: sign1({ externalAad: Uint8Array.of(1) }),
  },
  'array-of-three': {
    what: 'a structure without signature',
    apply: after((document) => concatBytes(Uint8Array.of(0x83), document.subarray(1, -98))),
  },
  'wrong-tag': { what: 'the tag of COSE_Mac0', apply: after((document) => cborTag(17, document)) },
  'signature-other-key': {
    what: 'signed by a key that no certificate names',
    apply: sign1({ signer: ecKey('P-384', 'nitro/other') }),
  },
  'signature-swapped': {
    what: 's ‖ r',
    apply: sign1({ signature: (raw) => concatBytes(raw.subarray(48), raw.subarray(0, 48)) }),
  },
  'signature-short': { what: 'a signature of 95 bytes', apply: sign1({ signature: (raw) => raw.subarray(1) }) },
} as const satisfies Record<string, Fault<NitroPlan>>

/** Faults of what the document says; each is validly signed. */
const CONTENT = {
  'pcr0-zero': { what: 'PCR 0 all zero', row: 'RJ-CB-08', apply: pcr(0, ZERO) },
  'pcrs-zero': {
    what: 'PCRs 0, 1, 2 and 8 all zero, as in debug mode',
    row: 'RJ-CB-08',
    apply: (plan) => [0, 1, 2, 8].reduce((p, index) => pcr(index, ZERO)(p), plan),
  },
  'pcr2-zero': { what: 'PCR 2 all zero', row: 'RJ-CB-08', apply: pcr(2, ZERO) },
  'pcr-of-32': { what: 'a PCR of 32 bytes', row: 'RJ-CB-09', apply: pcr(0, ZERO.subarray(16)) },
  'pcr-of-64': { what: 'a PCR of 64 bytes', row: 'RJ-CB-09', apply: pcr(3, new Uint8Array(64).fill(1)) },
  'pcr-index-32': { what: 'a PCR of index 32', row: 'RJ-CB-09', apply: pcr(32, ZERO) },
  'pcr-index-negative': { what: 'a PCR of index −1', row: 'RJ-CB-09', apply: pcr(-1, ZERO) },
  'pcr-missing': {
    what: 'no PCR 1',
    row: 'RJ-CB-09',
    apply: (plan) => ({ ...plan, pcrs: withoutEntry(plan.pcrs, cborInt(1)) }),
  },
  'pcrs-empty': { what: 'no PCR at all', row: 'RJ-CB-09', apply: (plan) => ({ ...plan, pcrs: [] }) },
  'digest-sha256': { what: 'the digest SHA256', row: 'RJ-CB-09', apply: set('digest', cborText('SHA256')) },
  'digest-missing': { what: 'no digest', row: 'RJ-CB-09', apply: drop('digest') },
  'nitrotpm-pcrs': {
    what: 'the PCRs of a NitroTPM',
    row: 'RJ-CB-09',
    apply: (plan) => set('nitrotpm_pcrs', cborMap(plan.pcrs))(drop('pcrs')(plan)),
  },
  'module-id-empty': { what: 'an empty module id', apply: set('module_id', cborText('')) },
  'user-data-too-long': { what: 'user data of 1025 bytes', apply: set('user_data', cborBytes(new Uint8Array(1025))) },
  'public-key-empty': { what: 'an empty public key', apply: set('public_key', cborBytes(new Uint8Array())) },
  'timestamp-future': { what: 'made two minutes after now', row: 'RJ-CB-10', apply: later(120) },
  'timestamp-before-key': { what: 'made a minute before its key', row: 'RJ-CB-10', apply: later(-63) },
  'timestamp-zero': { what: 'made in 1970', row: 'RJ-CB-10', apply: set('timestamp', cborInt(0)) },
  'key-expired': {
    what: 'made six hours ago, its key dead for three',
    row: 'RJ-CB-10',
    apply: (plan) => aged(plan, 6 * HOURS),
  },
  'key-not-yet': { what: 'made, and its key born, in two minutes', row: 'RJ-CB-10', apply: (plan) => aged(plan, -120) },
  'nonce-missing': { what: 'no nonce', apply: set('nonce', Uint8Array.of(0xf6)) },
  'nonce-in-user-data': {
    what: 'the nonce as user data',
    apply: (plan) => {
      const nonce = plan.payload.find(([key]) => Buffer.compare(key, cborText('nonce')) === 0)?.[1] ?? ZERO
      return set('nonce', Uint8Array.of(0xf6))(set('user_data', nonce)(plan))
    },
  },
} as const satisfies Record<string, Fault<NitroPlan>>

/** A document and a key made `seconds` before the plan's time, under the same authorities. */
function aged(plan: NitroPlan, seconds: number): NitroPlan {
  const { leaf } = nitroChain(plan.seed, plan.at - seconds)
  const chain = { ...plan.chain, leaf }
  return later(-seconds)({ ...plan, chain })
}

/** Everything that can be wrong in a Nitro document. */
export const NITRO_FAULTS = { ...ENCODING, ...STRUCTURE, ...CONTENT, ...NITRO_CHAIN_FAULTS } as const satisfies Record<
  string,
  Fault<NitroPlan>
>

/** Names of the faults of `NITRO_FAULTS`. */
export type NitroFault = keyof typeof NITRO_FAULTS
