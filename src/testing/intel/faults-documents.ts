import { toHex } from '../../core/encodings.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { pem } from '../pki/certificate.ts'
import { integer, seq } from '../pki/der.ts'
import { shifted } from '../pki/instants.ts'
import { rememberedKey } from '../pki/remembered.ts'
import { type DocumentName, inContent, inDocument } from './bend.ts'
import type { IntelCertificateEdits } from './certificate.ts'
import { tcbInfoContent } from './documents.ts'
import type { JsonPath } from './json-edits.ts'
import { INTEL_NAMES, intelName } from './names.ts'
import { createIntelTestPki } from './pki.ts'
import { type DocumentPlan, faultTable, type IntelFaultEntry, type IntelFaultStage, type IntelPlan } from './plan.ts'

type Change<T> = T | ((plan: IntelPlan) => T)

const document = (
  which: DocumentName,
  what: string,
  row: string,
  change: Change<Partial<DocumentPlan>>,
  stage: IntelFaultStage = 'collateral',
): IntelFaultEntry => ({ what, stage, rows: [row], bend: inDocument(which, change) })

const content = (
  which: DocumentName,
  what: string,
  row: string,
  path: JsonPath,
  change: (value: Json | undefined, plan: IntelPlan) => Json | undefined,
  stage: IntelFaultStage = 'collateral',
): IntelFaultEntry => ({ what, stage, rows: [row], bend: inContent(which, path, change) })

/** Signed by another key, with the certificate that names it, or with the signer's as if nothing were wrong. */
const signedBy = (signer: (plan: IntelPlan) => DocumentPlan['signer']) => (plan: IntelPlan) => ({
  signer: signer(plan),
})

const byAuthority = signedBy(({ ca }) => ({ pki }) => {
  const { key, certificate } = pki.authority(ca)
  return { key, chain: [certificate, pki.authority('root').certificate] }
})
const byPck = signedBy(({ ca }) => ({ pki, pck }) => ({
  key: pck.key,
  chain: [pck.certificate, pki.authority(ca).certificate, pki.authority('root').certificate],
}))
const byPckAlone = signedBy(() => ({ pki, pck }) => ({
  key: pck.key,
  chain: [pck.certificate, pki.authority('root').certificate],
}))
const byOtherKey = signedBy(({ tcbInfo }) => (made) => ({
  ...tcbInfo.signer(made),
  key: rememberedKey('P-256', 'intel/nobody'),
}))
const byForeign = signedBy(({ seed }) => () => {
  const rogue = createIntelTestPki(seed, { rogue: true })
  const { key, certificate } = rogue.authority('tcbSigner')
  return { key, chain: [certificate, rogue.authority('root').certificate] }
})
/** The signer of a bent hierarchy whose keys are the genuine ones. */
const byBent = (edits: (plan: IntelPlan) => IntelCertificateEdits) =>
  signedBy((plan) => ({ pki }) => {
    const { key, certificate } = createIntelTestPki(plan.seed, { ...plan.pki, tcbSigner: edits(plan) }).authority(
      'tcbSigner',
    )
    return { key, chain: [certificate, pki.authority('root').certificate] }
  })

/** Raw r ‖ s as the DER that certificates carry. */
const asDer = (hex: string): string => {
  const raw = Uint8Array.from(Buffer.from(hex, 'hex'))
  return toHex(seq(integer(raw.subarray(0, 32)), integer(raw.subarray(32))))
}

const lastDigitChanged = (hex: string): string =>
  hex.slice(0, -1) + (Number.parseInt(hex.slice(-1), 16) ^ 1).toString(16)

const SIGNATURE = 'RJ-TDX-28'
const TEXT = 'RJ-TDX-29'

/** What may be wrong with either document, its signature or its signer's chain. */
const both = <Prefix extends 'tcb-info' | 'qe-identity'>(prefix: Prefix, which: DocumentName, name: string) => {
  const of = (what: string, row: string, change: Change<Partial<DocumentPlan>>, stage?: IntelFaultStage) =>
    document(which, what, row, change, stage)
  const chainOf = (what: string, row: string, change: Change<Partial<DocumentPlan>>) => of(what, row, change, 'chain')
  const faults = {
    missing: of(`${name} not delivered`, 'RJ-COL-10', { delivered: () => '', signature: () => '', chain: () => '' }),
    'not-json': of(`${name} that is no JSON, correctly signed`, TEXT, { text: () => 'not a document' }),
    'not-an-object': of(`${name} that is a list, correctly signed`, TEXT, { text: (text) => `[${text}]` }),
    'duplicate-key': of(`${name} with a member twice, correctly signed`, TEXT, {
      text: (text) => `${text.slice(0, -1)},"version":3}`,
    }),
    expired: content(which, `${name} past its next update by a second`, 'RJ-COL-01', ['nextUpdate'], (_, { at }) =>
      shifted(at, -1),
    ),
    future: content(which, `${name} issued a second hence`, 'RJ-COL-02', ['issueDate'], (_, { at }) => shifted(at, 1)),
    'no-next-update': content(which, `${name} without an end`, 'RJ-COL-01', ['nextUpdate'], () => undefined),
    'date-malformed': content(which, `${name} with a date without a zone`, 'RJ-COL-01', ['issueDate'], (value) =>
      String(value).replace('Z', ''),
    ),
    'evaluation-number-low': content(
      which,
      `${name} of evaluation data number 15`,
      'RJ-COL-05',
      ['tcbEvaluationDataNumber'],
      () => 15,
      'appraisal',
    ),
    'evaluation-number-missing': content(
      which,
      `${name} without an evaluation data number`,
      'RJ-COL-05',
      ['tcbEvaluationDataNumber'],
      () => undefined,
    ),
    'signature-tampered': of(`one digit of the signature of ${name} changed`, SIGNATURE, {
      signature: lastDigitChanged,
    }),
    'signature-short': of(`a signature of 63 bytes under ${name}`, SIGNATURE, { signature: (hex) => hex.slice(0, -2) }),
    'signature-der': of(`the signature of ${name} in DER`, SIGNATURE, { signature: asDer }),
    'signature-zero': of(`a signature of 64 zero bytes under ${name}`, SIGNATURE, {
      signature: (hex) => '0'.repeat(hex.length),
    }),
    'signature-missing': of(`no signature under ${name}`, SIGNATURE, { signature: () => '' }),
    'signed-by-nobody': of(`${name} signed by a key that is not the signer’s`, SIGNATURE, byOtherKey),
    'signed-by-issuer': chainOf(`${name} signed by the issuing authority of PCK certificates`, SIGNATURE, byAuthority),
    'signed-by-pck': chainOf(`${name} signed by the PCK, its chain shown`, SIGNATURE, byPck),
    'signed-by-pck-as-signer': chainOf(
      `${name} signed by the PCK, whose certificate stands in the signer’s place`,
      SIGNATURE,
      byPckAlone,
    ),
    'signed-by-foreign-signer': chainOf(
      `${name} signed under a foreign root with Intel’s names`,
      'RJ-X5-01',
      byForeign,
    ),
    'signer-expired': chainOf(
      `signer of ${name} expired a second ago`,
      'RJ-X5-07',
      byBent(({ at }) => ({ certificate: { notAfter: shifted(at, -1) } })),
    ),
    'signer-not-yet-valid': chainOf(
      `signer of ${name} valid from a second hence`,
      'RJ-X5-07',
      byBent(({ at }) => ({ certificate: { notBefore: shifted(at, 1) } })),
    ),
    'signer-common-name': chainOf(
      `signer of ${name} with another name under the root`,
      SIGNATURE,
      byBent(() => ({ certificate: { subject: intelName(INTEL_NAMES.pck) } })),
    ),
    'signer-signature-tampered': chainOf(
      `the certificate of the signer of ${name} with one bit of its signature changed`,
      'RJ-X5-01',
      byBent(() => ({ certificate: { tamperSignature: true } })),
    ),
    'chain-missing': chainOf(`${name} without its issuer chain`, 'RJ-X5-01', { chain: () => '' }),
    'chain-garbage': chainOf(`an issuer chain of ${name} that is no PEM`, 'RJ-X5-27', { chain: () => 'not a chain' }),
    'chain-without-signer': chainOf(`the root alone as the issuer chain of ${name}`, 'RJ-X5-01', (plan) => ({
      chain: () => pem(createIntelTestPki(plan.seed, plan.pki).authority('root').certificate),
    })),
    reserialised: of(`a space more in ${name} than was signed`, TEXT, { delivered: (text) => text.replace('{', '{ ') }),
    reordered: of(`members of ${name} in another order than was signed`, TEXT, {
      delivered: (text) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text) as JsonObject).reverse())),
    }),
    'line-end-behind': of(`a line end behind ${name} that was not signed`, TEXT, { delivered: (text) => `${text}\n` }),
  }
  return Object.fromEntries(Object.entries(faults).map(([key, entry]) => [`${prefix}-${key}`, entry])) as Record<
    `${Prefix}-${keyof typeof faults}`,
    IntelFaultEntry
  >
}

const tcbInfo = (
  what: string,
  row: string,
  path: JsonPath,
  change: (value: Json | undefined, plan: IntelPlan) => Json | undefined,
  stage: IntelFaultStage = 'match',
) => content('tcbInfo', what, row, path, change, stage)

const identity = (
  what: string,
  path: JsonPath,
  change: (value: Json | undefined, plan: IntelPlan) => Json | undefined,
) => content('qeIdentity', what, 'RJ-TDX-16', path, change, 'match')

/** Faults of Intel's two signed documents as documents; `faults-levels` has those of their levels. */
export const DOCUMENT_FAULTS = faultTable({
  ...both('tcb-info', 'tcbInfo', 'the TCB info'),
  ...both('qe-identity', 'qeIdentity', 'the QE identity'),
  'tcb-info-fmspc': tcbInfo('a TCB info for another FMSPC', 'RJ-TDX-23', ['fmspc'], () => '90C06F000000'),
  'tcb-info-fmspc-short': tcbInfo(
    'an FMSPC of 5 bytes in the TCB info',
    'RJ-TDX-23',
    ['fmspc'],
    () => '90C06F0000',
    'collateral',
  ),
  'tcb-info-pceid': tcbInfo('a TCB info for another PCEID', 'RJ-TDX-23', ['pceId'], () => '0001'),
  'tcb-info-type-1': tcbInfo('a TCB type that nobody knows', 'RJ-TDX-26', ['tcbType'], () => 1, 'collateral'),
  'tcb-info-version-4': tcbInfo('a TCB info of version 4', 'RJ-TDX-24', ['version'], () => 4, 'collateral'),
  'tcb-info-other-tee': {
    what: 'the TCB info of the same platform for the other TEE',
    stage: 'match',
    rows: ['RJ-TDX-24'],
    bend: (plan) => inDocument('tcbInfo', { content: otherTee(plan) })(plan),
  },
  'tcb-info-id-unknown': tcbInfo('a TCB info for a TEE that nobody knows', 'RJ-TDX-24', ['id'], () => 'ACME'),
  'tcb-info-levels-edited': document('tcbInfo', 'a status of the TCB info improved after signing', SIGNATURE, {
    delivered: (text) => text.replace('"OutOfDate"', '"UpToDate"'),
  }),
  'qe-identity-other-tee': identity('the identity of the other quoting enclave by its id', ['id'], (id) =>
    id === 'QE' ? 'TD_QE' : 'QE',
  ),
  'qe-identity-id-unknown': identity('the identity of another of Intel’s enclaves', ['id'], () => 'QVE'),
  'qe-identity-version-1': identity('a QE identity of version 1', ['version'], () => 1),
  'qe-identity-mrsigner': identity('a QE identity that asks for another signer', ['mrsigner'], () => 'AB'.repeat(32)),
  'qe-identity-isvprodid': identity('a QE identity that asks for another product', ['isvprodid'], () => 99),
  'qe-identity-miscselect': identity(
    'a QE identity that asks for a MISCSELECT bit that the enclave has not',
    ['miscselect'],
    () => '01000000',
  ),
  'qe-identity-attributes': identity('a QE identity that asks for KSS', ['attributes'], () => `91${'0'.repeat(30)}`),
  'qe-identity-mask-short': identity('an attributes mask of 15 bytes', ['attributesMask'], (mask) =>
    String(mask).slice(2),
  ),
})

function otherTee({ tee, at, platform, tcbInfo: { content: own } }: IntelPlan): DocumentPlan['content'] {
  const { fmspc, pceId } = platform
  const number = own.tcbEvaluationDataNumber
  if (typeof number !== 'number') throw new TypeError('a TCB info has an evaluation data number')
  return tcbInfoContent({
    tee: tee === 'TDX' ? 'SGX' : 'TDX',
    version: 3,
    at,
    fmspc,
    pceId,
    tcbEvaluationDataNumber: number,
  })
}
