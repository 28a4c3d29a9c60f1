import type { CollateralFile } from '../attestation/collateral.ts'
import { derOfHex } from '../attestation/dcap/der-text.ts'
import { latin1, utf8 } from '../core/bytes.ts'
import { fromUtf8 } from '../core/encodings.ts'
import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts'
import { attempt, take } from '../core/outcome.ts'
import { decodeCrl } from '../core/x509/crl.ts'
import { commonName, nameText } from '../core/x509/names.ts'
import { type Ask, type Body, checked, DER_TYPES, refuseForm, refuseOther } from './ask.ts'
import { objectName } from './object-name.ts'
import type { CollateralRequest } from './objects.ts'

type IntelRequest = Extract<CollateralRequest, { kind: `intel-${string}` }>

const MOST_DOCUMENT_BYTES = 1024 * 1024
/** 57 serials in 2026; a list of every platform's would still fit */
const MOST_LIST_BYTES = 4 * 1024 * 1024
const MOST_CHAIN_CHARACTERS = 16 * 1024
const URL_ENCODED = /^[0-9A-Za-z%._~+/=-]+$/

/**
 * Intel's provisioning certification service, version 4, or a PCCS that caches it. Each answer but the root's list comes
 * with the chain of its issuer, which becomes a file of its own beside it.
 * @param usesPccs whether the service is a PCCS, which hands out the root's list too, in hexadecimal
 * @see ../shared/spec/intel-dcap.md §7
 */
export function askIntel(request: IntelRequest, usesPccs: boolean): Ask {
  switch (request.kind) {
    case 'intel-tcb-info': {
      const fmspc = checked(request.fmspc, /^[0-9a-f]{12}$/, 'fmspc')
      return {
        ...DOCUMENT,
        path: `/${teeOf(request)}/certification/v4/tcb?fmspc=${fmspc}${updateOf(request) === 'early' ? '&update=early' : ''}`,
        absence: `Intel knows no platform ${fmspc}`,
        read: (body) =>
          attempt(() => {
            const info = documentIn(request, 'tcbInfo', body)
            const actual = `${text(info, 'id')} ${text(info, 'fmspc').toLowerCase()}`
            const expected = `${request.tee.toUpperCase()} ${fmspc}`
            if (actual !== expected) refuseOther(objectName(request), expected, actual)
            return answerFiles(request, body, 'json', 'TCB-Info-Issuer-Chain')
          }),
      }
    }
    case 'intel-qe-identity':
      return {
        ...DOCUMENT,
        path: `/${teeOf(request)}/certification/v4/qe/identity${updateOf(request) === 'early' ? '?update=early' : ''}`,
        absence: 'Intel publishes no identity of this quoting enclave',
        read: (body) =>
          attempt(() => {
            const id = text(documentIn(request, 'enclaveIdentity', body), 'id')
            const expected = request.tee === 'tdx' ? 'TD_QE' : 'QE'
            if (id !== expected) refuseOther(objectName(request), expected, id)
            return answerFiles(request, body, 'json', 'SGX-Enclave-Identity-Issuer-Chain')
          }),
      }
    case 'intel-evaluation-numbers':
      return {
        ...DOCUMENT,
        path: `/${teeOf(request)}/certification/v4/tcbevaluationdatanumbers`,
        absence: 'Intel publishes no evaluation numbers of this technology',
        read: (body) =>
          attempt(() => {
            const id = text(documentIn(request, 'tcbEvaluationDataNumbers', body), 'id')
            if (id !== request.tee.toUpperCase()) refuseOther(objectName(request), request.tee.toUpperCase(), id)
            return answerFiles(request, body, 'json', 'TCB-Evaluation-Data-Numbers-Issuer-Chain')
          }),
      }
    case 'intel-pck-crl': {
      const ca = checked(request.ca, /^(processor|platform)$/, 'ca')
      return {
        ...LIST,
        service: 'intel-pcs',
        path: `/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`,
        absence: `Intel publishes no revocation list of the ${ca} CA`,
        read: (body) =>
          attempt(() => {
            const plain = checkedList(request, body, `Intel SGX PCK ${ca === 'platform' ? 'Platform' : 'Processor'} CA`)
            return answerFiles(request, { ...body, bytes: plain }, 'crl', 'SGX-PCK-CRL-Issuer-Chain')
          }),
      }
    }
    case 'intel-root-crl':
      return {
        ...LIST,
        // A PCCS sends its hexadecimal under whatever type its framework thinks of; the form is checked all the same.
        contentTypes: usesPccs ? [...LIST.contentTypes, 'text/plain', 'text/html'] : LIST.contentTypes,
        service: usesPccs ? 'intel-pcs' : 'intel-certificates',
        path: usesPccs ? '/sgx/certification/v4/rootcacrl' : '/IntelSGXRootCA.der',
        absence: 'Intel publishes no revocation list of its root',
        read: (body) =>
          attempt(() => [{ name: 'intel-root-crl.crl', bytes: checkedList(request, body, 'Intel SGX Root CA') }]),
      }
  }
}

const DOCUMENT = {
  service: 'intel-pcs',
  method: 'GET',
  contentTypes: ['application/json'],
  maxBytes: MOST_DOCUMENT_BYTES,
} as const
const LIST = { method: 'GET', contentTypes: DER_TYPES, maxBytes: MOST_LIST_BYTES } as const

const teeOf = ({ tee }: { readonly tee: string }): string => checked(tee, /^(sgx|tdx)$/, 'tee')
/** Standard is what the service takes for granted; a PCCS of earlier days does not know the word. */
const updateOf = ({ update }: { readonly update: string }): string => checked(update, /^(standard|early)$/, 'update')

const text = (value: JsonObject, member: string): string =>
  typeof value[member] === 'string' ? value[member] : 'nothing'

/** The signed object of an answer, to be compared with what was asked; inside `attempt`. */
function documentIn(request: IntelRequest, member: string, { bytes }: Body): JsonObject {
  const object = objectName(request)
  const value = attempt(() => take(parseJson(take(fromUtf8(bytes, object)), object)))
  const document = value.ok && isJsonObject(value.value) ? value.value[member] : undefined
  return isJsonObject(document)
    ? document
    : refuseForm(object, `JSON with ${member} and its signature`, 'something else')
}

/** The list in DER, however it was sent; inside `attempt`. */
function checkedList(request: IntelRequest, { bytes }: Body, issuer: string): Uint8Array {
  const object = objectName(request)
  const hex = /^\s*[0-9a-fA-F]+\s*$/.test(latin1(bytes)) ? derOfHex(latin1(bytes).trim(), object) : undefined
  const der = hex?.ok === true ? hex.value : bytes
  const list = decodeCrl(der, object)
  if (!list.ok) return refuseForm(object, 'a revocation list', list.faults[0].code)
  if (commonName(list.value.issuer) !== issuer) refuseOther(object, issuer, nameText(list.value.issuer))
  return der
}

/** An answer and the issuer chain of its header, each a file; inside `attempt`. */
function answerFiles(request: IntelRequest, body: Body, ending: string, header: string): readonly CollateralFile[] {
  const object = objectName(request)
  const stem = object.replaceAll('/', '-')
  const chain = body.headers.get(header.toLowerCase()) ?? ''
  if (chain.length > MOST_CHAIN_CHARACTERS || !URL_ENCODED.test(chain)) {
    return refuseForm(object, `${header} in the headers`, chain === '' ? 'no such header' : 'another form')
  }
  return [
    { name: `${stem}.${ending}`, bytes: body.bytes },
    { name: `${stem}.issuer-chain`, bytes: utf8(`${header}: ${chain}\n`) },
  ]
}
