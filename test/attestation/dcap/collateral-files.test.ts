import { describe, expect, it, test } from 'vitest'
import { type CollateralFile, sortCollateral } from '../../../src/attestation/collateral.ts'
import { readEvidence } from '../../../src/attestation/envelopes/index.ts'
import { latin1, utf8 } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import { toBase64, toHex } from '../../../src/core/encodings.ts'
import { take } from '../../../src/core/outcome.ts'
import { amdMachine } from '../../../src/testing/amd/index.ts'
import { pem } from '../../../src/testing/pki/certificate.ts'
import { refused } from '../../reject/row.ts'
import { contextAt } from './collateral-support.ts'
import {
  answer,
  chainPem,
  NAMES,
  NOW,
  PLATFORM_CA,
  pckCrl,
  qeIdentityOf,
  quoteCollateral,
  rootCrl,
  sign,
  tcbInfoOf,
} from './intel-authority.ts'

const file = (content: string | Uint8Array, name = 'file'): CollateralFile => ({
  name,
  bytes: typeof content === 'string' ? utf8(content) : content,
})
const sort = (...files: readonly CollateralFile[]) => sortCollateral(contextAt(NOW), files, 'verifier')

interface Seen {
  readonly documents: readonly string[]
  readonly certificates: number
  readonly crls: number
  readonly faults: readonly string[]
}

/** How much of what was found, and what was not. */
async function found(...files: readonly CollateralFile[]): Promise<Seen> {
  const { collateral, faults } = await sort(...files)
  return {
    documents: collateral.intelDocuments.map((d) => d.value.kind),
    certificates: collateral.certificates.length,
    crls: collateral.crls.length,
    faults: faults.map((f) => `${f.code} ${f.path}`),
  }
}
const NOTHING: Seen = { documents: [], certificates: 0, crls: 0, faults: [] }

const CHAIN = chainPem()
const COLLATERAL = quoteCollateral()
const WHOLE: Seen = { documents: ['tcb-info', 'qe-identity'], certificates: 3, crls: 2, faults: [] }
const collateral = (spec: Readonly<Record<string, unknown>> = {}) => file(JSON.stringify({ ...COLLATERAL, ...spec }))
const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

describe('the collateral of a quote', () => {
  it.each<[string, CollateralFile]>([
    ['as quote libraries write it', collateral()],
    [
      'in camelCase',
      file(JSON.stringify(Object.fromEntries(Object.entries(COLLATERAL).map(([k, v]) => [camel(k), v])))),
    ],
    ['with lists in base64', collateral({ root_ca_crl: toBase64(rootCrl()), pck_crl: toBase64(pckCrl()) })],
    ['with lists in PEM', collateral({ root_ca_crl: pem(rootCrl(), 'X509 CRL'), pck_crl: pem(pckCrl(), 'X509 CRL') })],
    ['with lists as PEM in hexadecimal', collateral({ pck_crl: toHex(utf8(pem(pckCrl(), 'X509 CRL'))) })],
    ['with upper-case digits', collateral({ root_ca_crl: toHex(rootCrl()).toUpperCase() })],
    [
      'with the NUL of a C string',
      collateral({ tcb_info_issuer_chain: `${CHAIN}\0`, pck_crl: `${toHex(pckCrl())}\0` }),
    ],
    [
      'with whole answers, as Intel’s library has them',
      collateral({ tcb_info: latin1(answer(tcbInfoOf('TDX'))), tcb_info_signature: undefined }),
    ],
    ['with what else Intel’s structure and others have', collateral({ version: 3, tee_type: 129, note: '' })],
  ])('is read: %s', async (_, given) => {
    expect(await found(given)).toEqual(WHOLE)
  })

  it('holds the text that is signed, byte for byte', async () => {
    const spaced = JSON.stringify(tcbInfoOf('TDX'), null, 2)
    const { intelDocuments } = (await sort(collateral({ tcb_info: spaced, tcb_info_signature: sign(spaced) })))
      .collateral
    expect(intelDocuments.map((d) => latin1(d.value.signed))).toContain(spaced)
    expect(intelDocuments.map((d) => toHex(d.value.signature))).toContain(sign(spaced))
    const [document] = intelDocuments
    const both = Uint8Array.from([...(document?.value.signed ?? []), ...(document?.value.signature ?? [])])
    expect(document?.sha256).toBe(await contextAt(NOW).digestHex('sha256', both))
  })

  it('takes the chain of the PCK certificate along', async () => {
    expect(await found(file(JSON.stringify({ ...COLLATERAL, pck_certificate_chain: pem(PLATFORM_CA) })))).toEqual(WHOLE)
  })

  it('may lack parts, which then are missing', async () => {
    const { tcb_info, tcb_info_signature, qe_identity, qe_identity_signature } = COLLATERAL
    const documents = file(JSON.stringify({ tcb_info, tcb_info_signature, qe_identity, qe_identity_signature }))
    expect(await found(documents)).toEqual({ ...NOTHING, documents: WHOLE.documents })
    expect(await found(collateral({ pck_crl: '', root_ca_crl: null }))).toEqual({ ...WHOLE, crls: 0 })
  })

  it.each<[string, Readonly<Record<string, unknown>>, Partial<Seen>]>([
    [
      'a signature of 63 bytes',
      { tcb_info_signature: 'ab'.repeat(63) },
      { documents: ['qe-identity'], faults: ['HEX_NOT_CANONICAL file/tcb_info_signature'] },
    ],
    [
      'a document that is no JSON',
      { qe_identity: 'x' },
      { documents: ['tcb-info'], faults: ['JSON_SYNTAX file/qe_identity'] },
    ],
    [
      'a document with a member twice',
      { tcb_info: '{"id":"TDX","id":"SGX"}' },
      { documents: ['qe-identity'], faults: ['JSON_DUPLICATE_KEY file/tcb_info/id'] },
    ],
    [
      'a document as an object, its bytes lost',
      { tcb_info: {} },
      { documents: ['qe-identity'], faults: ['JSON_TYPE_MISMATCH file/tcb_info'] },
    ],
    [
      'no signature of a document',
      { tcb_info_signature: undefined },
      { documents: ['qe-identity'], faults: ['JSON_TYPE_MISMATCH file/tcb_info_signature'] },
    ],
    [
      'one document in the place of the other',
      { tcb_info: latin1(answer(qeIdentityOf('TDX'))), tcb_info_signature: undefined },
      { documents: ['qe-identity'], faults: ['JSON_UNKNOWN_KEY file/tcb_info'] },
    ],
    [
      'a chain that is none',
      { tcb_info_issuer_chain: 'not a certificate' },
      { documents: ['qe-identity'], faults: ['ENV_BASE64_NOT_CANONICAL file/tcb_info_issuer_chain'] },
    ],
    [
      'a chain of something else',
      { tcb_info_issuer_chain: pem(rootCrl()) },
      { documents: ['qe-identity'], faults: ['X509_MALFORMED file/tcb_info_issuer_chain[0]'] },
    ],
    ['a list that is none', { pck_crl: 'deadbeef' }, { crls: 1, faults: ['DER_TRUNCATED file/pck_crl@1'] }],
    ['half a byte', { pck_crl: `${COLLATERAL.pck_crl}0` }, { crls: 1, faults: ['HEX_NOT_CANONICAL file/pck_crl'] }],
    [
      'lists that are swapped',
      { pck_crl: COLLATERAL.root_ca_crl, root_ca_crl: COLLATERAL.pck_crl },
      { crls: 0, faults: ['COLLATERAL_SUBJECT_MISMATCH file/root_ca_crl', 'COLLATERAL_SUBJECT_MISMATCH file/pck_crl'] },
    ],
    [
      'the list of another CA',
      { pck_crl: toHex(pckCrl({ issuer: NAMES.processorCa })) },
      { crls: 1, faults: ['COLLATERAL_SUBJECT_MISMATCH file/pck_crl'] },
    ],
    ['one member in two spellings', { pckCrl: '' }, { crls: 1, faults: ['JSON_DUPLICATE_KEY file/pckCrl'] }],
  ])('is read without %s, which is told', async (_, spec, expected) => {
    const seen = await found(collateral(spec))
    expect({ documents: seen.documents, crls: seen.crls, faults: seen.faults }).toEqual({
      ...{ documents: WHOLE.documents, crls: WHOLE.crls, faults: WHOLE.faults },
      ...expected,
    })
  })
})

describe('answers of Intel’s service and of a PCCS', () => {
  const encoded = encodeURIComponent(CHAIN)
  const headers = (name: string) =>
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${name}: ${encoded}\r\nRequest-ID: 1\r\n`

  it.each<[string, string | Uint8Array, Partial<Seen>]>([
    ['TCB info', answer(tcbInfoOf('TDX')), { documents: ['tcb-info'] }],
    ['identity', answer(qeIdentityOf('SGX')), { documents: ['qe-identity'] }],
    ['chain as PEM', CHAIN, { certificates: 2 }],
    ['chain as the header has it', encoded, { certificates: 2 }],
    ['chain as the header has it, with a line end', `${encoded}\n`, { certificates: 2 }],
    ['headers of a TCB info', headers('TCB-Info-Issuer-Chain'), { certificates: 2 }],
    ['headers of PCS 3', headers('SGX-TCB-Info-Issuer-Chain'), { certificates: 2 }],
    ['headers of an identity, in lower case', headers('sgx-enclave-identity-issuer-chain'), { certificates: 2 }],
    ['headers of a list', headers('SGX-PCK-CRL-Issuer-Chain'), { certificates: 2 }],
    ['list in DER', pckCrl(), { crls: 1 }],
    ['list in PEM', pem(pckCrl(), 'X509 CRL'), { crls: 1 }],
    ['list in hexadecimal', toHex(rootCrl()), { crls: 1 }],
    ['list in hexadecimal, with a line end', `${toHex(rootCrl()).toUpperCase()}\n`, { crls: 1 }],
  ])('%s', async (_, content, expected) => {
    expect(await found(file(content))).toEqual({ ...NOTHING, ...expected })
  })

  test.each<[string, Code, string]>([
    ['other JSON', 'COLLATERAL_UNRECOGNISED', '{"fmspc":"90c06f000000"}'],
    ['another signed answer', 'COLLATERAL_UNRECOGNISED', '{"tcbEvaluationDataNumbers":{},"signature":""}'],
    ['no JSON after all', 'JSON_SYNTAX', '{"tcbInfo":{'],
    ['an answer with more in it', 'JSON_UNKNOWN_KEY', '{"tcbInfo":{},"signature":"","x":1}'],
    ['a broken escape', 'PEM_INVALID', '-----BEGIN%20CERTIFICATE-----%0'],
    ['a header that is no chain', 'ENV_BASE64_NOT_CANONICAL', 'TCB-Info-Issuer-Chain: none!'],
    ['plain text', 'COLLATERAL_UNRECOGNISED', 'hello'],
  ])('%s: %s', async (_, code, content) => {
    const { documents, certificates, crls, faults } = await found(file(content))
    expect({ documents, certificates, crls }).toEqual({ documents: [], certificates: 0, crls: 0 })
    expect(faults.map((f) => f.split(' ')[0])).toEqual([code])
  })

  it('holds equal documents once, and two signatures of one text as two', async () => {
    const info = answer(tcbInfoOf('TDX'))
    const other = utf8(latin1(info).replace(/"signature":"../, '"signature":"00'))
    expect((await found(file(info, 'a'), file(info, 'b'), file(other, 'c'))).documents).toEqual([
      'tcb-info',
      'tcb-info',
    ])
  })
})

describe('beside a quote in a folder', () => {
  const report = file(amdMachine('intel files').report, 'report.bin')
  const names = (...files: readonly CollateralFile[]) => {
    const { collateral: beside, ignored } = take(readEvidence([report, ...files]))
    return { collateral: beside.map((f) => f.name), ignored }
  }

  it('collateral is collateral, whatever it is called', () => {
    const files = [
      file(JSON.stringify(COLLATERAL), 'collateral.json'),
      file(answer(tcbInfoOf('TDX')), 'tcb'),
      file(toHex(rootCrl()), 'rootcacrl'),
      file(`TCB-Info-Issuer-Chain: ${encodeURIComponent(CHAIN)}\n`, 'headers.txt'),
    ]
    const sorted = files.map((f) => f.name).sort()
    expect(names(...files)).toEqual({ collateral: sorted, ignored: [] })
    expect(names(file('{"case":1}', 'case.json'))).toEqual({ collateral: [], ignored: ['case.json'] })
  })

  it('alone it is nothing to judge', () => {
    for (const one of [collateral(), file(answer(tcbInfoOf('TDX'))), file(toHex(rootCrl()))]) {
      refused(readEvidence([one]), ['ENV_NOTHING_TO_JUDGE'])
    }
    refused(readEvidence([collateral(), file('hello', 'note')]), ['ENV_NOTHING_TO_JUDGE'])
  })
})
