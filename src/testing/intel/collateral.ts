import type { Tee } from '../../attestation/dcap/model.ts'
import { utf8 } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import type { JsonObject } from '../../core/json.ts'
import type { PckCa } from './names.ts'

/** What a verifier needs beside the quote. An empty text or list is one that was not delivered. */
export interface IntelCollateral {
  readonly tee: Tee
  readonly ca: PckCa
  /** 12 hexadecimal digits */
  readonly fmspc: string
  /** The very text that is signed. */
  readonly tcbInfo: string
  /** 128 hexadecimal digits */
  readonly tcbInfoSignature: string
  /** Signer, then root, in PEM. */
  readonly tcbInfoIssuerChain: string
  readonly qeIdentity: string
  readonly qeIdentitySignature: string
  readonly qeIdentityIssuerChain: string
  /** DER */
  readonly rootCaCrl: Uint8Array
  /** DER */
  readonly pckCrl: Uint8Array
  /** Authority, then root, in PEM. */
  readonly pckCrlIssuerChain: string
}

/** The members of QuoteCollateralV3 as JSON, as collectors save it; lists in hexadecimal. */
export const quoteCollateralV3 = (of: IntelCollateral): JsonObject => ({
  pck_crl_issuer_chain: of.pckCrlIssuerChain,
  root_ca_crl: toHex(of.rootCaCrl),
  pck_crl: toHex(of.pckCrl),
  tcb_info_issuer_chain: of.tcbInfoIssuerChain,
  tcb_info: of.tcbInfo,
  tcb_info_signature: of.tcbInfoSignature,
  qe_identity_issuer_chain: of.qeIdentityIssuerChain,
  qe_identity: of.qeIdentity,
  qe_identity_signature: of.qeIdentitySignature,
})

/** One answer of Intel's provisioning certification service. */
export interface PcsAnswer {
  readonly url: string
  readonly contentType: string
  /** Issuer chains, URL-encoded PEM, by the header that carries them. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** The bodies of PCS: the signed text stands in them as it is, between two members of the answer. */
const signedBody = (member: string, text: string, signature: string): Uint8Array =>
  utf8(`{"${member}":${text},"signature":"${signature}"}`)

const API = 'https://api.trustedservices.intel.com'

/** The answers of PCS, version 4, that make up the collateral; what was not delivered has none (intel-dcap.md §7). */
export function pcsAnswers(of: IntelCollateral): readonly PcsAnswer[] {
  const tee = of.tee.toLowerCase()
  const json = 'application/json'
  const answers: readonly (PcsAnswer | false)[] = [
    of.tcbInfo !== '' && {
      url: `${API}/${tee}/certification/v4/tcb?fmspc=${of.fmspc}`,
      contentType: json,
      headers: { 'TCB-Info-Issuer-Chain': encodeURIComponent(of.tcbInfoIssuerChain) },
      body: signedBody('tcbInfo', of.tcbInfo, of.tcbInfoSignature),
    },
    of.qeIdentity !== '' && {
      url: `${API}/${tee}/certification/v4/qe/identity`,
      contentType: json,
      headers: { 'SGX-Enclave-Identity-Issuer-Chain': encodeURIComponent(of.qeIdentityIssuerChain) },
      body: signedBody('enclaveIdentity', of.qeIdentity, of.qeIdentitySignature),
    },
    of.pckCrl.length > 0 && {
      url: `${API}/sgx/certification/v4/pckcrl?ca=${of.ca}&encoding=der`,
      contentType: 'application/pkix-crl',
      headers: { 'SGX-PCK-CRL-Issuer-Chain': encodeURIComponent(of.pckCrlIssuerChain) },
      body: of.pckCrl,
    },
    of.rootCaCrl.length > 0 && {
      url: 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der',
      contentType: 'application/pkix-crl',
      headers: {},
      body: of.rootCaCrl,
    },
  ]
  return answers.filter((answer) => answer !== false)
}

/** The collateral as loose files by name: PCS bodies, issuer chains in PEM, lists in DER. */
export function collateralFiles(of: IntelCollateral): ReadonlyMap<string, Uint8Array> {
  const tee = of.tee.toLowerCase()
  const files: readonly (readonly [string, Uint8Array])[] = [
    [`${tee}-tcb-info.json`, of.tcbInfo === '' ? utf8('') : signedBody('tcbInfo', of.tcbInfo, of.tcbInfoSignature)],
    [`${tee}-tcb-info-chain.pem`, utf8(of.tcbInfoIssuerChain)],
    [
      `${tee}-qe-identity.json`,
      of.qeIdentity === '' ? utf8('') : signedBody('enclaveIdentity', of.qeIdentity, of.qeIdentitySignature),
    ],
    [`${tee}-qe-identity-chain.pem`, utf8(of.qeIdentityIssuerChain)],
    [`pck-${of.ca}-ca.crl`, of.pckCrl],
    [`pck-${of.ca}-ca-chain.pem`, utf8(of.pckCrlIssuerChain)],
    ['root-ca.crl', of.rootCaCrl],
  ]
  return new Map(files.filter(([, bytes]) => bytes.length > 0))
}
